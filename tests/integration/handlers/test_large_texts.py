"""Texts so large that reading them takes a second: the time is linear, the memory bounded."""

import resource
import time

from handlers.readers.text.encoding.decoding import encoding_of, read_lines
from tests.unit.handlers.readers.test_csv import lines
from tests.unit.handlers.readers.test_plain_text import ASCII_HEAD


def test_the_encoding_of_a_large_file_is_found_in_bounded_memory(tmp_path):
    path = tmp_path / "large.txt"
    path.write_bytes(ASCII_HEAD * 400 + "Die Rückgabe kostet 39 €".encode("cp1252"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    encoding = encoding_of(path)

    assert encoding == "cp1252"
    assert [line for line in read_lines(path, encoding) if "€" in line] == ["Die Rückgabe kostet 39 €"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 * 1024


def test_many_quoted_cells_in_one_line_take_linear_time(tmp_path):
    content = ", ".join(f'"cell {number}"' for number in range(200_000)) + "\n"
    began = time.monotonic()

    found, _ = lines(tmp_path, content)

    assert found[0].count("cell ") == 200_000
    assert time.monotonic() - began < 10


def test_stray_quotes_in_every_line_take_linear_time(tmp_path):
    content = "a,b\n" + "".join(f'"{n} inch pipe,{n}\n' for n in range(20_000))
    began = time.monotonic()

    found, _ = lines(tmp_path, content)

    assert len(found) == 20_000
    assert time.monotonic() - began < 10
