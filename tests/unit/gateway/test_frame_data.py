"""The gateway's frame models have the same fields as the events they are read from."""

import msgspec
import pytest

from gateway.replay import frame_data
from schemas import events
from schemas.passages import Source

PAIRS = [
    (frame_data.AskedData, events.QuestionAsked),
    (frame_data.StartedData, events.AnswerStarted),
    (frame_data.SourcesData, events.AnswerSources),
    (frame_data.DeltaData, events.AnswerDelta),
    (frame_data.CompletedData, events.AnswerCompleted),
    (frame_data.FailedData, events.AnswerFailed),
    (frame_data.CancelledData, events.AnswerCancelled),
    (frame_data.SourceData, Source),
    (frame_data.UsageData, events.Usage),
]


@pytest.mark.parametrize(("read", "written"), PAIRS, ids=lambda shape: shape.__name__)
def test_a_frame_is_read_by_the_fields_that_its_event_is_written_with(read, written):
    aliases = {field.serialization_alias for field in written.model_fields.values() if not field.exclude}

    assert {field.encode_name for field in msgspec.structs.fields(read)} == aliases
