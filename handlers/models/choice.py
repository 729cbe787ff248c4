"""Which model answers: the widget's if it names one, else the tier's; then the other provider's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp

from handlers.models.anthropic import AnthropicModel
from handlers.models.openai import OpenAIModel
from handlers.ports import Model
from schemas.events import Tier
from schemas.settings import Settings
from stores.clients import Widget

PROVIDER_OF_TIER: dict[Tier, str] = {"free": "openai", "paid": "anthropic"}


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that we have a key of: how to make a model by its name, and the name used unless a widget has one."""

    make: Callable[[str], Model]
    default: str


class ModelChoice:
    """The models to try for a question. Without any provider everything is answered by `extractive`."""

    def __init__(self, providers: Mapping[str, Provider], extractive: Model) -> None:
        self._providers = dict(providers)
        self._extractive = extractive

    def __call__(self, widget: Widget, tier: Tier) -> list[Model]:
        """At least one; a later one is for when the earlier ones failed before their first token."""
        wanted = widget.provider or _provider_of(widget.model) or PROVIDER_OF_TIER[tier]
        if not self._providers or wanted == self._extractive.provider:
            return [self._extractive]
        order = sorted(self._providers, key=lambda name: name != wanted)
        return [self._model(name, widget.model if name == wanted else None) for name in order]

    def _model(self, provider: str, name: str | None) -> Model:
        return self._providers[provider].make(name or self._providers[provider].default)


def create_choice(settings: Settings, session: aiohttp.ClientSession, extractive: Model) -> ModelChoice:
    """The providers whose keys are set."""
    providers: dict[str, Provider] = {}
    if key := settings.openai_api_key:
        url = settings.openai_base_url
        providers["openai"] = Provider(lambda name: OpenAIModel(session, url, key, name), settings.openai_model)
    if secret := settings.anthropic_api_key:
        base = settings.anthropic_base_url
        providers["anthropic"] = Provider(
            lambda name: AnthropicModel(session, base, secret, name), settings.anthropic_model
        )
    return ModelChoice(providers, extractive)


def _provider_of(model: str | None) -> str | None:
    """Widgets may name a model alone. At another base URL OpenAI's language speaks for any name."""
    if model is None:
        return None
    return "anthropic" if model.startswith("claude") else "openai"
