"""Which model answers: the widget's if it names one, else the tier's; then the other provider's."""

from collections.abc import Callable, Sequence

import aiohttp

from handlers.models.anthropic import AnthropicModel
from handlers.models.openai import OpenAIModel
from handlers.ports import Model
from schemas.events import Tier
from schemas.providers import PROVIDER_OF_TIER, ConfiguredProvider, configured, provider_of
from schemas.settings import Settings
from stores.postgres.clients import Widget

MODELS: dict[str, type[OpenAIModel] | type[AnthropicModel]] = {"openai": OpenAIModel, "anthropic": AnthropicModel}


MakeModel = Callable[[ConfiguredProvider, str], Model]


class ModelChoice:
    """The models to try for a question. Without any provider everything is answered by `extractive`."""

    def __init__(
        self,
        providers: Sequence[ConfiguredProvider],
        make: Callable[[ConfiguredProvider, str], Model],
        extractive: Model,
    ) -> None:
        self._providers = providers
        self._make = make
        self._extractive = extractive

    def __call__(self, widget: Widget, tier: Tier) -> list[Model]:
        """At least one; a later one is for when the earlier ones failed before their first token."""
        wanted = widget.provider or (provider_of(widget.model) if widget.model else PROVIDER_OF_TIER[tier])
        if not self._providers or wanted == self._extractive.provider:
            return [self._extractive]
        order = sorted(self._providers, key=lambda one: one.name != wanted)
        return [self._make(one, (widget.model if one.name == wanted else None) or one.model) for one in order]


def create_choice(settings: Settings, session: aiohttp.ClientSession, extractive: Model) -> ModelChoice:
    """The providers whose keys are set."""

    def make(provider: ConfiguredProvider, model: str) -> Model:
        return MODELS[provider.name](session, provider.base_url, provider.api_key, model)

    return ModelChoice(configured(settings), make, extractive)
