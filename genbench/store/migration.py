"""What `genbench migrate` notes beside a run that it calls anew; nothing else of it changes.

    results/<suite>/runs/<id>/migrated.json    the id before, and which files of that day were
                                               taken for those that the run was made of
"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from genbench.store._reading import read_json
from genbench.store.files import json_bytes, replace_file
from genbench.suites.spec import ComponentSpec, RunSpec

NOTE = "migrated.json"


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Migration:
    """The note of one run."""

    before: str = ""
    """The id, and name of the folder, before."""
    data: ComponentSpec | None = None
    """The data, where their hash was taken on trust."""
    sources: dict[str, str] = field(default_factory=dict)
    """Hash of a file of code → of that file with what it imports, where that was trusted."""

    @staticmethod
    def of(folder: Path) -> Migration:
        """The note of a run's folder; an empty one where there is none.

        Raises:
            StoreError: a damaged one.
        """
        return read_json(folder / NOTE, _NOTE, missing=b"{}")

    def write(self, folder: Path) -> None:
        """Put the note into a run's folder, whose lock is held; its seal stays what it is.

        Raises:
            Unwritable: the folder cannot be written, or the disk is full.
        """
        content = _NOTE.dump_python(self, mode="json", exclude_defaults=True)
        replace_file(folder / NOTE, lambda path: path.write_bytes(json_bytes(content)))

    def applied(self, spec: RunSpec) -> RunSpec:
        """A specification on what was trusted; one that was written since says so itself."""
        if self.data is None and not self.sources:
            return spec

        def known(part: ComponentSpec) -> ComponentSpec:
            source = self.sources.get(part.source, part.source)
            return part.model_copy(update={"source": source})

        data = spec.data if spec.data.contents or self.data is None else self.data
        stages = [
            stage.model_copy(update={"terms": [
                term.model_copy(update={"objective": known(term.objective)})
                for term in stage.terms
            ]})
            for stage in spec.stages
        ]
        return spec.model_copy(
            update={"model": known(spec.model), "data": known(data), "stages": stages}
        )


_NOTE = TypeAdapter(Migration)
