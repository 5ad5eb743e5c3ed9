"""Laws of the one atomic write and of the one reader of arrays."""

import io
import os
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as some

from glassdata.files import UNREADABLE, read_array, read_arrays, replace, replace_stream


def archive(content: bytes, **options) -> zipfile.ZipFile:
    """Archive of one member a.npy."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **options) as made:
        made.writestr("a.npy", content)
    return zipfile.ZipFile(stream)


def npy(array: np.ndarray, **options) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


@settings(max_examples=100, deadline=None)
@given(
    array=some.arrays(
        st.sampled_from(["<f8", "<f4", "<i8", "|i1", "|u1", "|b1", "<U3", "<U64"]),
        some.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
)
def test_what_numpy_wrote_is_read_as_numpy_reads_it(array):
    read = read_array(archive(npy(array)), "a", limit=10**5)
    assert (read.dtype, read.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(read, array)
    assert read.flags.writeable


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        npy(np.zeros(3))[:-1],
        npy(np.zeros(3)) + b"\0",
        npy(np.zeros((2, 3), order="F")),
        npy(np.zeros(2, ">f8")),
        npy(np.zeros(2, "c16")),
        npy(np.zeros(2, "M8[s]")),
        npy(np.zeros(2, [("x", "f8")])),
        npy(np.array([None]), allow_pickle=True),
        npy(np.zeros(3)).replace(b"(3,)", b"(-3,)"),
        npy(np.zeros(3)).replace(b"(3,), }     ", b"(999999999,)"),
        npy(np.zeros(3)).replace(b"(3,)", b"(3, 10**9)"),
        npy(np.zeros(3)).replace(b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00"),
        npy(np.zeros(3)).replace(b"\x01\x00v\x00", b"\x01\x00w\x00"),
    ],
)
def test_anything_but_a_plain_array_is_refused_in_one_line(content):
    with pytest.raises(ValueError, match=r"^a ") as caught:
        read_array(archive(content), "a", limit=10**6)
    assert "\n" not in str(caught.value)


def test_what_unpacks_to_more_than_the_limit_is_refused():
    bomb = archive(npy(np.zeros(10**6)), compression=zipfile.ZIP_DEFLATED)
    for read in (
        lambda: read_array(bomb, "a", limit=10**6),
        lambda: read_arrays(bomb, limit=10**6),
    ):
        with pytest.raises(ValueError, match="unpacks to more than 1000000 bytes"):
            read()
    assert read_arrays(bomb, limit=10**7)["a"].shape == (10**6,)


def test_a_member_that_understates_its_size_is_not_believed():
    """The directory of the archive says 200 bytes, the member unpacks to eight million."""
    made = archive(npy(np.zeros(10**6)), compression=zipfile.ZIP_DEFLATED)
    made.infolist()[0].file_size = 200
    with pytest.raises(UNREADABLE):
        read_array(made, "a", limit=10**4)


@pytest.mark.parametrize("names", [["a.npy", "a.npy"], ["a.npy", "a"], ["b"]])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_are_not_those_of_arrays_are_refused(names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name in names:
            made.writestr(name, npy(np.zeros(1)))
    with pytest.raises(ValueError, match="holds"):
        read_arrays(zipfile.ZipFile(stream), limit=10**6)


def test_a_reader_sees_the_old_file_or_the_new_one_and_an_error_leaves_the_old(tmp_path):
    path = tmp_path / "new" / "file"
    replace(path, b"old")

    def fail():
        with replace_stream(path) as stream:
            stream.write(b"half")
            stream.flush()
            assert path.read_bytes() == b"old"
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert path.read_bytes() == b"old"
    replace(path, b"new", durable=False)
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_only_a_durable_write_waits_for_the_disk(tmp_path, monkeypatch):
    waited = []
    real = os.fsync
    monkeypatch.setattr(
        "os.fsync", lambda fd: waited.append(os.readlink(f"/proc/self/fd/{fd}")) or real(fd)
    )
    replace(tmp_path / "a", b"x", durable=False)
    assert waited == []
    replace(tmp_path / "b", b"x")
    # The bytes first, then the name.
    assert waited[0].endswith("~b")
    assert waited[1] == str(tmp_path)
