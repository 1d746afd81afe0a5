"""What models may be able to do, as the source of the protocols shows it."""

import ast
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Capability:
    """Something that a model may be able to do, as the source of its protocol shows it."""

    name: str
    """The protocol's name in lower case: `latent_variable` of `LatentVariable`."""
    words: str
    """What users call it: how the protocol's docstring begins."""
    method: str = ""
    """What a model that has it defines; where there is none, its class constant `name` is true."""

    def shown_by(self, model: Any) -> bool:
        """Whether a model (a Component) has it."""
        return self.method in model.methods or (
            not self.method and model.constants.get(self.name, False)
        )


def base_name(node: ast.expr) -> str:
    """The last part of a dotted name; empty of anything else."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def capabilities_in(tree: ast.Module) -> list[Capability]:
    """The capabilities that a file defines."""
    return [
        read_capability(node) for node in tree.body
        if isinstance(node, ast.ClassDef) and is_capability(node)
    ]


def read_capability(node: ast.ClassDef) -> Capability:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name).lower()
    methods = [part.name for part in node.body if isinstance(part, ast.FunctionDef)]
    words = capability_words(node.name, ast.get_docstring(node))
    return Capability(name, words, methods[0] if methods else "")


def capability_words(name: str, doc: str | None) -> str:
    """What users call a capability: the beginning of its protocol's docstring."""
    words = re.split(r"[,.:\n]", doc or name)[0]
    return words[:1].lower() + words[1:]


def is_capability(node: ast.ClassDef) -> bool:
    """Whether a class is the protocol of a capability."""
    return "Capability" in map(base_name, node.bases)
