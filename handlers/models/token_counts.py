"""Token counts when a provider sends none: a cancelled or cut stream, or a service without usage."""

from schemas.events import Usage

CHARACTERS_PER_TOKEN = 4


def estimated_usage(input_characters: int, output_characters: int) -> Usage:
    """About right for English; marked as an estimate, so that bills can say so."""
    return Usage(
        input_tokens=-(-input_characters // CHARACTERS_PER_TOKEN),
        output_tokens=-(-output_characters // CHARACTERS_PER_TOKEN),
        estimated=True,
    )
