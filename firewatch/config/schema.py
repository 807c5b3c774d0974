"""JSON Schema of what people write, for editors: completion, hover texts and red lines before anything is checked.

It says the shape only, as people write it: durations and quantities as text, one name where a list of one would do.
Whether names exist, units fit and rules can be true is for `firewatch check` to say.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from firewatch.config.rule_files import TemplateSpec
from firewatch.config.site_spec import NAME_PATTERN, ActionSpec
from firewatch.model.duration import WRITTEN as DURATION
from firewatch.rules.spec import (
    WRITTEN_QUANTITY,
    ConditionSpec,
    DaysSpec,
    Quantity,
    RuleFile,
    RuleSpec,
    ScheduleSpec,
)

_TIME = {"type": "string", "pattern": r"^(?:(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?|24:00)$"}
_DATE = {"type": "string", "format": "date"}
_QUANTITY = [{"type": "number"}, {"type": "string", "pattern": WRITTEN_QUANTITY.pattern}]

SHORT_FORMS: Mapping[type[BaseModel], Sequence[JsonSchemaValue]] = {
    Quantity: _QUANTITY,
    DaysSpec: [_DATE],
    ScheduleSpec: [{"type": "string"}],
    ActionSpec: [{"type": "string", "pattern": NAME_PATTERN}],
}
"""What may stand in the place of a model's mapping."""


def rule_schema() -> dict[str, Any]:
    """The schema of a rule file."""
    schema = file_schema(RuleFile, TemplateSpec)
    schema["$defs"]["RuleFile"]["properties"]["templates"]["additionalProperties"] = {"$ref": "#/$defs/TemplateSpec"}
    rule = schema["$defs"][RuleSpec.__name__]
    required = rule.pop("required")
    rule |= {"required": ["id"], "if": {"not": {"required": ["extends"]}}, "then": {"required": required}}
    schema["$defs"][ConditionSpec.__name__] |= {"minProperties": 1, "maxProperties": 1}
    schema["$defs"][Quantity.__name__]["anyOf"] = _QUANTITY
    return schema


def file_schema(
    model: type[BaseModel],
    *others: type[BaseModel],
    short_forms: Mapping[type[BaseModel], Sequence[JsonSchemaValue]] = SHORT_FORMS,
) -> dict[str, Any]:
    """The schema of a file that is to be of this model, with the definitions of other models."""

    class Generator(_AsWritten):
        forms = short_forms

    _, schema = models_json_schema(
        [(each, "validation") for each in (model, *others)], schema_generator=Generator, ref_template="#/$defs/{model}"
    )
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": inspect.cleandoc(model.__doc__ or "").split("\n")[0],
        "$ref": f"#/$defs/{model.__name__}",
        "$defs": _tidy(schema["$defs"]),
    }


def _tidy(schema: Any) -> Any:
    """Without the bounds of durations, which no validator knows, and those of lists that may be one word."""
    if isinstance(schema, list):
        return [_tidy(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strange = {"ge", "gt", "le"} if schema.get("type") == "string" else {"maxLength"} if "anyOf" in schema else set()
    return {key: _tidy(part) for key, part in schema.items() if key not in strange}


class _AsWritten(GenerateJsonSchema):
    """pydantic's schema, with text for what is written as text, and nothing said twice."""

    forms: Mapping[type[BaseModel], Sequence[JsonSchemaValue]] = {}

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        return {"type": "string", "pattern": DURATION.pattern, "examples": ["30s", "5min", "1h30min"]}

    def time_schema(self, schema: core_schema.TimeSchema) -> JsonSchemaValue:
        return dict(_TIME)

    def date_schema(self, schema: core_schema.DateSchema) -> JsonSchemaValue:
        return dict(_DATE)

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        return {"type": "string"}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Without the default, which the pages tell in the form that people write."""
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        written = super().model_schema(schema)
        written.pop("title", None)
        if "description" in written:
            written["description"] = inspect.cleandoc(written["description"]).replace("\n", " ").replace("  ", "\n\n")
        short = self.forms.get(schema["cls"])
        if short is None:
            return written
        description = written.pop("description")
        return {"description": description, "anyOf": [*short, written]}
