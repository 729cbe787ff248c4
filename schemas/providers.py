"""The model providers: one table for the settings, the choice of a model, health and the startup summary.

A new provider is a row here, three settings (`<name>_api_key`, `<name>_base_url`, `<name>_model`), its prices in
`handlers/models/pricing.py` and its model class in `handlers/models/choice.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.events import Tier


@dataclass(frozen=True, slots=True)
class Provider:
    """The `tier` tries it first. A widget that names only a model means the provider whose prefix the name has."""

    name: str
    label: str
    tier: Tier
    model_prefix: str


@dataclass(frozen=True, slots=True)
class ConfiguredProvider:
    """A provider whose key is set."""

    name: str
    label: str
    api_key: str
    base_url: str
    model: str


PROVIDERS = (
    Provider("openai", "OpenAI", tier="free", model_prefix=""),
    Provider("anthropic", "Anthropic", tier="paid", model_prefix="claude"),
)
PROVIDER_OF_TIER: Mapping[Tier, str] = {one.tier: one.name for one in PROVIDERS}


def provider_of(model: str) -> str:
    """The provider that a model's name alone means: the one with the longest prefix."""
    fitting = [one for one in PROVIDERS if model.startswith(one.model_prefix)]
    return max(fitting, key=lambda one: len(one.model_prefix)).name


def configured(settings: Any) -> list[ConfiguredProvider]:
    """Those whose `<name>_api_key` is set in the settings, in the table's order."""
    found = []
    for one in PROVIDERS:
        key = getattr(settings, f"{one.name}_api_key")
        if key:
            url, model = getattr(settings, f"{one.name}_base_url"), getattr(settings, f"{one.name}_model")
            found.append(ConfiguredProvider(one.name, one.label, key, url, model))
    return found
