"""The options of executors: what a suite's `cluster:` and `genbench run` may ask of each.

An executor declares its options once, in its class; they are read from source.
"""

from collections.abc import Mapping
from typing import Any, Union

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from genbench._annotations import type_of
from genbench.errors import GenbenchError, UnknownName
from genbench.lookup import available, describe, options_model, suggest
from genbench.suites.typed import faults


def cluster_model() -> type[BaseModel]:
    """The section `cluster:` of a suite: the options of every executor that is a cluster's."""
    fields: dict[str, Any] = {}
    for name in available("executor"):
        part = describe("executor", name)
        for option in part.options if part.constants.get("on_cluster") else ():
            kind = type_of(option.annotation)
            known, about = fields.get(
                option.name, (kind, Field(option.default, description=option.doc))
            )
            fields[option.name] = (Union[known, kind], about)  # noqa: UP007 - values, not types
    config = ConfigDict(extra="forbid", validate_default=True)
    return create_model("Cluster", __config__=config, **fields)


def executor_options(
    name: str, of_suite: BaseModel, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The options of an executor: the suite's, changed by those that were given.

    Options of other executors are no fault in a suite, which is for any of them. Numbers may be
    text, as a command line has them.

    Raises:
        GenbenchError: no such executor, an option that it does not have, or a wrong value.
    """
    component = describe("executor", name)
    known = [option.name for option in component.options]
    for option in given:
        if option not in known:
            hint = _owners(option, known)
            raise UnknownName(f"executor '{name}' has no option '{option}'{hint}")
    asked = {**of_suite.model_dump(exclude_unset=True), **given}
    options = {option: value for option, value in asked.items() if option in known}
    if not component.constants.get("on_cluster"):
        options = dict(given)
    model = options_model(component)
    try:
        checked = model.model_validate(options)
    except ValidationError as error:
        where, fault = faults(model, error, options)[0]
        raise GenbenchError(f"{'.'.join(map(str, where))}: {fault}") from None
    return {option: getattr(checked, option) for option in known}


def _owners(option: str, known: list[str]) -> str:
    """Whose the option is, or what was meant."""
    owners = [
        name for name in available("executor")
        if option in {one.name for one in describe("executor", name).options}
    ]
    return f"; it is one of {' and '.join(owners)}" if owners else suggest(option, known)
