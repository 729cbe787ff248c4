"""The shapes that the gateway reads frames by are those of the events, field for field."""

import msgspec
import pytest

from gateway.replay import frame_data
from schemas import events

PAIRS = [
    (frame_data.Asked, events.QuestionAsked),
    (frame_data.Started, events.AnswerStarted),
    (frame_data.Sources, events.AnswerSources),
    (frame_data.Delta, events.AnswerDelta),
    (frame_data.Completed, events.AnswerCompleted),
    (frame_data.Failed, events.AnswerFailed),
    (frame_data.Cancelled, events.AnswerCancelled),
    (frame_data.SourceData, events.Source),
    (frame_data.UsageData, events.Usage),
]


@pytest.mark.parametrize(("read", "written"), PAIRS, ids=lambda shape: shape.__name__)
def test_a_frame_is_read_by_the_fields_that_its_event_is_written_with(read, written):
    told = {field.serialization_alias for field in written.model_fields.values() if not field.exclude}

    assert {field.encode_name for field in msgspec.structs.fields(read)} == told
