"""Files of records: each there whole or not at all, wherever the writing was cut off."""

import os
from pathlib import Path

import pytest

from edgevlo.runtime.errors import OutputError
from edgevlo.runtime.journal.records import Records

WRITTEN = [b"first", b"", b"third" * 100]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.journal"


def written(path: Path) -> bytes:
    records = Records(path)
    for record in WRITTEN:
        records.append(record)
    records.sync()
    records.close()
    return path.read_bytes()


def read(path: Path) -> list[bytes]:
    records = Records(path)
    records.close()
    return records.found


def test_records_are_read_as_they_were_written(path: Path) -> None:
    written(path)

    assert read(path) == WRITTEN


def test_a_file_cut_anywhere_holds_the_records_before_the_cut_and_goes_on_from_there(path: Path) -> None:
    content = written(path)
    held = set()
    for end in range(len(content)):
        path.write_bytes(content[:end])
        records = Records(path)
        assert records.found == WRITTEN[: len(records.found)]
        held.add(len(records.found))
        records.append(b"more")
        records.close()
        assert read(path) == [*records.found, b"more"]
    assert held == {0, 1, 2}


def test_a_file_that_ends_in_noise_or_zeros_holds_what_stands_before(path: Path) -> None:
    content = written(path)
    for tail in (bytes(40), os.urandom(40), b"\xff" * 40):
        path.write_bytes(content + tail)
        assert read(path) == WRITTEN


def test_a_flipped_bit_ends_the_reading(path: Path) -> None:
    content = bytearray(written(path))
    content[-1] ^= 1
    path.write_bytes(content)

    assert read(path) == WRITTEN[:2]


def test_nobody_else_may_write_it_meanwhile(path: Path) -> None:
    records = Records(path)

    with pytest.raises(OutputError, match=r"a\.journal is being written by another process"):
        Records(path)
    records.close()
    Records(path).delete()
    assert not path.exists()


def test_what_is_no_journal_is_left_alone(path: Path) -> None:
    path.write_text("a letter")

    with pytest.raises(OutputError, match=r"a\.journal is not a journal"):
        Records(path)
    assert path.read_text() == "a letter"


def test_links_are_not_followed(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))

    with pytest.raises(OutputError):
        Records(path)
    assert not path.with_name("elsewhere").exists()


def test_only_its_owner_reads_it(path: Path) -> None:
    written(path)

    assert path.stat().st_mode & 0o777 == 0o600
