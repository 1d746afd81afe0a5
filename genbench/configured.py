"""Typed class fields as options: what models, objectives, datasets, metrics and executors share.

An option whose name a method has already is declared with an underscore behind it: the field
`loss_` is the option `loss`.
"""

from typing import Any, ClassVar

from pydantic import ValidationError

from genbench import lookup
from genbench.errors import GenbenchError


class Options:
    """Option fields, with what they refuse, that several components share.

    A component has them by naming the group among its bases. A group builds nothing.
    """

    refuses: ClassVar[tuple[tuple[dict[str, object], str], ...]] = ()


class Configured:
    """Options are the annotated class fields; `configure` checks them and sets the attributes."""

    component_kind: ClassVar[str]

    def configure(self, options: dict[str, Any]) -> None:
        """Set every option, given or default.

        Raises:
            GenbenchError: an unknown option, a wrong type, a value out of range, or options that
                cannot go together.
        """
        component = lookup.of_class(self.component_kind, type(self))
        try:
            checked = lookup.options_model(component)(**lookup.spelled(component, options))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise GenbenchError(f"{type(self).__name__}.{where}: {first['msg']}") from None
        for option in component.options:
            setattr(self, option.attribute, getattr(checked, option.name))
        self.refuse()

    def options(self) -> dict[str, Any]:
        """Every option by its name in a suite."""
        component = lookup.of_class(self.component_kind, type(self))
        return {option.name: getattr(self, option.attribute) for option in component.options}

    def refuse(self, **given: Any) -> None:
        """Refuse what these options are not for; `given` is as of `lookup.refusals`.

        Raises:
            GenbenchError: the reason, as a suite that asks for it is told.
        """
        component = lookup.of_class(self.component_kind, type(self))
        for _, reason in lookup.refusals(component, self.options(), **given):
            raise GenbenchError(f"{type(self).__name__}: {reason}")
