"""The base of every shape on a wire: camelCase outside, snake_case inside, immutable, unknown fields ignored."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Shape(BaseModel):
    """`model_dump_json()` is the wire form; readers ignore fields they do not know (`docs/wire.md`)."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        serialize_by_alias=True,
        json_schema_serialization_defaults_required=True,
        frozen=True,
        extra="ignore",
    )
