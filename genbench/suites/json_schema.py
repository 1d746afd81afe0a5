"""The JSON Schema of suites, for editors (`genbench schema`)."""

from typing import Any

from genbench.lookup import available, describe, options_model
from genbench.suites.figures import NONE, entry_model
from genbench.suites.schema import Entry, Suite
from genbench.suites.zoo import method_names

Schema = dict[str, Any]

_GRID: Schema = {"$ref": "#/$defs/grid"}
_PLUGIN: Schema = {
    "type": "string", "pattern": r"^.+:[A-Za-z_][A-Za-z0-9_]*$",
    "description": "path/to/file.py:Class or package.module:Class",
}
_NULL: Schema = {"type": "null"}
_WITH_GRIDS = ("Entry", "StageEntry", "Budget", "Optimiser")


def json_schema() -> Schema:
    """The schema of a suite (draft 2020-12), with every built-in part and its options."""
    schema = Suite.model_json_schema(ref_template="#/$defs/{model}")
    definitions: Schema = schema.setdefault("$defs", {})
    entry = definitions["Entry"] = _entry(definitions)
    for name in _WITH_GRIDS:
        definitions[name]["properties"] = _with_grids(definitions[name]["properties"])
    definitions["grid"] = {
        "type": "object", "description": "A row for each of these values.",
        "properties": {"grid": {"type": "array", "minItems": 1}}, "required": ["grid"],
        "additionalProperties": False,
    }
    for kind in ("dataset", "model", "objective", "metric"):
        for name in available(kind):
            definitions[f"{kind}-{name}"] = _options(kind, name, definitions)
    definitions["FigureEntry"] = _figure(definitions["FigureEntry"], definitions)
    whole = {"anyOf": [*_names("figure")["anyOf"], {"const": NONE}]}
    items = {"anyOf": [whole, {"$ref": "#/$defs/FigureEntry"}]}
    definitions["Report"]["properties"]["figures"]["anyOf"][0]["items"] = items
    definitions["model"], definitions["train"] = _model(), _train()
    entry["properties"]["model"] = _described(entry["properties"]["model"], "model")
    for owner in (entry, definitions["StageEntry"]):
        owner["properties"]["train"] = _described(owner["properties"]["train"], "train")
    properties = schema["properties"]
    properties["datasets"] |= _rows(_names("dataset"), _dataset_rows(), _dataset_row(None))
    properties["methods"] |= _rows(
        {"enum": list(method_names())}, {}, {"anyOf": [_NULL, {"$ref": "#/$defs/Entry"}]}
    )
    metrics = {
        name: {"anyOf": [_NULL, {"$ref": f"#/$defs/metric-{name}"}]}
        for name in available("metric")
    }
    properties["evaluate"] |= _rows(_names("metric"), metrics, {"type": "object"})
    properties["seeds"] |= {"anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "array", "items": {"type": "integer", "minimum": 0}, "uniqueItems": True},
    ]}
    for name in ("precision", "compile"):
        properties[name] = _with_grids({name: properties[name]})[name]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _entry(definitions: Schema) -> Schema:
    entry = Entry.model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(entry.pop("$defs", {}))
    entry["properties"]["use"] = {
        "enum": list(method_names()), "description": entry["properties"]["use"]["description"],
    }
    return entry


def _figure(common: Schema, definitions: Schema) -> Schema:
    """A figure: the keys of every one, and the options of its kind."""
    for name in available("figure"):
        component = describe("figure", name)
        own = entry_model(component).model_json_schema(ref_template="#/$defs/{model}")
        own["properties"]["kind"] = {"const": name, "description": component.summary}
        definitions[f"figure-{name}"] = own
    kinds = [f"{name}: {describe('figure', name).summary}" for name in available("figure")]
    common["properties"]["kind"] = {**_names("figure"), "description": " ".join(kinds)}
    rules = [_when("kind", name, f"figure-{name}") for name in available("figure")]
    return {**common, "allOf": rules}


def _with_grids(properties: Schema) -> Schema:
    wrapped: Schema = {}
    for name, schema in properties.items():
        kept = {key: schema[key] for key in ("description", "default", "title") if key in schema}
        inner = {key: value for key, value in schema.items() if key not in kept}
        wrapped[name] = {**kept, "anyOf": [inner, _GRID]}
    return wrapped


def _described(old: Schema, definition: str) -> Schema:
    kept = {key: old[key] for key in ("description",) if key in old}
    return {**kept, "$ref": f"#/$defs/{definition}"}


def _names(kind: str) -> Schema:
    return {"anyOf": [{"enum": list(available(kind))}, _PLUGIN]}


def _options(kind: str, name: str, definitions: Schema) -> Schema:
    component = describe(kind, name)
    schema = options_model(component).model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(schema.get("$defs", {}))
    properties = _with_grids(schema.get("properties", {}))
    if kind == "dataset":
        properties |= {"use": {"type": "string"}, "budget": {"$ref": "#/$defs/Budget"}}
    elif kind == "objective":
        properties["weight"] = {"anyOf": [{"type": "number"}, _GRID]}
    elif kind == "model":
        properties["name"] = {"type": "string"}
    for former, option in component.constants.get("aliases", {}).items():
        properties[former] = {**properties[option], "deprecated": True}
    return {
        "type": "object", "description": component.summary, "properties": properties,
        "additionalProperties": False,
    }


def _model() -> Schema:
    named = [_when("name", name, f"model-{name}") for name in available("model")]
    return {"anyOf": [_names("model"), _NULL, {"type": "object", "allOf": named}]}


def _train() -> Schema:
    objectives = {
        name: {"anyOf": [{"type": "number"}, _NULL, _GRID, {"$ref": f"#/$defs/objective-{name}"}]}
        for name in available("objective")
    }
    plugin = {"anyOf": [{"type": "number"}, {"type": "object"}, _NULL]}
    terms = {
        "type": "object", "properties": objectives, "minProperties": 1,
        "patternProperties": {_PLUGIN["pattern"]: plugin}, "additionalProperties": False,
    }
    one = {"anyOf": [_names("objective"), terms]}
    return {"anyOf": [*one["anyOf"], {"type": "array", "items": one, "minItems": 1}, _NULL, _GRID]}


def _dataset_rows() -> Schema:
    return {name: _dataset_row(name) for name in available("dataset")}


def _dataset_row(key: str | None) -> Schema:
    rules = [_when("use", name, f"dataset-{name}") for name in available("dataset")]
    if key is not None:
        rules.append({
            "if": {"not": {"required": ["use"]}}, "then": {"$ref": f"#/$defs/dataset-{key}"}
        })
    return {"anyOf": [_NULL, {"type": "object", "allOf": rules}]}


def _when(key: str, value: str, definition: str) -> Schema:
    return {
        "if": {"properties": {key: {"const": value}}, "required": [key]},
        "then": {"$ref": f"#/$defs/{definition}"},
    }


def _rows(names: Schema, known: Schema, other: Schema) -> Schema:
    """Names and single-key mappings in a list, or a mapping of rows."""
    mapping = {
        "type": "object", "properties": known, "additionalProperties": other, "minProperties": 1,
    }
    item = {"anyOf": [names, {**mapping, "maxProperties": 1}]}
    return {"anyOf": [names, mapping, {"type": "array", "items": item, "minItems": 1}]}
