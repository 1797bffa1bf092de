"""Sessions: pieces of a recording, as they come, say what the whole says; bad pieces change nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import neurocuda as nc
from neurocuda.compiled import Compiled
from neurocuda.events import as_frames
from neurocuda.images import InputSpec, as_steps

OPTIONS = nc.NirOptions(dt=1e-3)
INTEGERS = nc.Conversion(weight_bits=8)

Array = NDArray[Any]
Floats = NDArray[np.float32]
CAMERA = InputSpec(("input",), ((-1, 2, 3, 4),), pixels=False)
TWO = InputSpec(("left", "right"), ((-1, 2), (-1, 3)), pixels=False)


@pytest.fixture(params=["cpu floats", "cpu integers", "cpu:c11 integers", "nir floats"])
def network(request: pytest.FixtureRequest, recurrent: Path) -> Compiled:
    target, numbers = str(request.param).split()
    conversion = INTEGERS if numbers == "integers" else nc.Conversion()
    return nc.compile(recurrent, target=target, nir=OPTIONS, conversion=conversion)


def array(outputs: object) -> Floats:
    assert isinstance(outputs, np.ndarray)
    return outputs


def pushed(session: nc.Session, recording: Floats, lengths: Sequence[int]) -> Floats:
    pieces = np.split(recording, np.cumsum(lengths))
    return np.concatenate([array(session.push(piece)) for piece in pieces])


@pytest.mark.parametrize("on", [None, "reference"])
def test_pieces_say_what_the_whole_says(network: Compiled, events: Floats, on: str | None) -> None:
    expected = array(network.run(events, on=on).outputs)
    assert expected.any()
    random = np.random.default_rng(2)
    with network.stream(on=on) as session:
        for recording, outputs in zip(events, expected, strict=True):
            session.reset()
            lengths = random.integers(0, 9, 7)
            np.testing.assert_array_equal(pushed(session, recording, [int(length) for length in lengths]), outputs)
            assert session.steps == len(recording)


def test_one_step_has_no_axis_of_time(network: Compiled, events: Floats) -> None:
    expected = array(network.run(events[:1]).outputs)[0]
    session = network.stream()
    for step, outputs in zip(events[0], expected, strict=True):
        said = array(session.push(step))
        assert (said.shape, said.dtype) == ((2,), np.float32)
        np.testing.assert_array_equal(said, outputs)
    assert array(session.push(events[0, :0])).shape == (0, 2)
    assert array(session.push(events[0, :1])).shape == (1, 2)


def test_what_was_said_is_the_caller_s_to_keep(network: Compiled, events: Floats) -> None:
    session = network.stream()
    said = [array(session.push(step)) for step in events[0]]
    np.testing.assert_array_equal(said, array(network.run(events[:1]).outputs)[0])


HELD: dict[str, Callable[[Floats], Any]] = {
    "a tensor": torch.as_tensor,
    "bytes": lambda x: x.astype(np.uint8),
    "swapped doubles": lambda x: x.astype(">f8"),
    "integers": lambda x: x.astype(np.int64),
    "Fortran order": np.asfortranarray,
    "every second": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "misaligned": lambda x: np.frombuffer(b"?" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape),
    "by name": lambda x: {"input": x},
}


@pytest.mark.parametrize("held", HELD)
def test_steps_may_lie_anywhere(recurrent: Path, events: Floats, held: str) -> None:
    network = nc.compile(recurrent, target="cpu", nir=OPTIONS)
    expected = array(network.run(events[:1]).outputs)[0]
    np.testing.assert_array_equal(array(network.stream().push(HELD[held](events[0]))), expected)


def test_events_are_counted(network: Compiled, events: Floats) -> None:
    counts = events[0].astype(np.int64)
    rows = np.repeat(np.argwhere(counts), counts[counts > 0], axis=0)
    np.random.default_rng(3).shuffle(rows)
    expected = array(network.stream().push(events[0]))
    with network.stream() as session:
        np.testing.assert_array_equal(array(session.push_events(rows, steps=len(counts))), expected)
        assert session.steps == len(counts)
        session.reset()
        first, rest = rows[rows[:, 0] < 7], rows[rows[:, 0] >= 7] - [7, 0]
        said = [session.push_events(first, steps=7), session.push_events({"input": rest}, steps=len(counts) - 7)]
        np.testing.assert_array_equal(np.concatenate([array(each) for each in said]), expected)
        assert array(session.push_events(np.zeros((0, 2), int), steps=3)).shape == (3, 2)
        assert array(session.push_events(np.zeros((0, 2), int), steps=0)).shape == (0, 2)


def test_a_camera_s_events_have_their_place() -> None:
    x, y, polarity, time = np.array([[3, 3, 0], [2, 2, 1], [1, 1, 0], [999, 0, 1000]])
    (frames,) = as_frames(np.stack([time // 1000, polarity, y, x], axis=1).astype(np.uint64), CAMERA, 2)
    expected = np.zeros((2, 2, 3, 4))
    expected[0, 1, 2, 3], expected[1, 0, 1, 0] = 2, 1
    np.testing.assert_array_equal(frames, expected)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            np.zeros((5, 3), int),
            r"expected rows of 4 integers, the step and an index in \(2, 3, 4\), found an array of",
        ),
        (np.zeros(4, int), r"found an array of shape \(4,\)"),
        (np.zeros((5, 4)), "expected integers, found float64"),
        (np.zeros((5, 4), object), "expected integers, found object"),
        ([[0, 0, 0, 0]], "expected a tensor or an array|expected as a tensor or an array, found list"),
        (np.array([[0, 0, 0, 0], [2, 0, 0, 0]]), r"event 1, \[2, 0, 0, 0\], lies outside of \(2, 2, 3, 4\)"),
        (np.array([[0, 0, -1, 0]]), r"event 0, \[0, 0, -1, 0\], lies outside"),
        ({"other": np.zeros((0, 4), int), "input": np.zeros((0, 4), int)}, "the inputs are called input, not"),
    ],
)
def test_events_that_are_nowhere_are_refused(rows: Array, message: str) -> None:
    with pytest.raises(nc.InputError, match=message) as refusal:
        as_frames(rows, CAMERA, 2)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (np.zeros(4), r"expected one step of shape \(3,\), or several of shape \(time, 3\), found \(4,\)"),
        (np.zeros((2, 4)), r"found \(2, 4\)"),
        (np.zeros((1, 2, 3)), r"found \(1, 2, 3\)"),
        (np.float32(1), "found float32"),
        (np.array(1.0), r"found \(\)"),
        ([0, 0, 0], "found list"),
        (None, "found NoneType"),
        (np.zeros(3, object), "expected numbers, found object"),
        (np.zeros(3, complex), "expected numbers, found complex128"),
        (np.array(["a", "b", "c"]), "expected numbers, found <U1"),
        (np.array([[0, 0, 0], [0, np.nan, 0]]), "there are NaN or infinite values in step 1"),
        (np.array([0, np.inf, 0]), "there are NaN or infinite values in step 0"),
        (np.array([0, 1e300, 0]), "there are NaN or infinite values in step 0"),
        ({"a": np.zeros(3), "b": np.zeros(3)}, "the inputs are called input, not a, b"),
        (torch.zeros(3, dtype=torch.bfloat16), "a bfloat16 tensor has no plain array"),
    ],
)
def test_a_bad_push_changes_nothing(network: Compiled, events: Floats, steps: Array, message: str) -> None:
    expected = array(network.run(events[:1]).outputs)[0]
    session = network.stream()
    said = [array(session.push(events[0, :20]))]
    with pytest.raises(nc.InputError, match=message) as refusal:
        session.push(steps)
    assert "\n" not in str(refusal.value)
    assert session.steps == 20
    said.append(array(session.push(events[0, 20:])))
    np.testing.assert_array_equal(np.concatenate(said), expected)


@pytest.mark.parametrize("value", [0.5, -1.0, 256.0, 1e30])
def test_integers_are_given_counts(recurrent: Path, events: Floats, value: float) -> None:
    session = nc.compile(recurrent, target="cpu", nir=OPTIONS, conversion=INTEGERS).stream()
    events[0, 5, 1] = value
    with pytest.raises(
        nc.InputError, match=rf"takes whole numbers 0 \.\.\. 255, found {value:g} in step 5".replace("+", r"\+")
    ):
        session.push(events[0])
    many = np.zeros((300, 2), int)
    with pytest.raises(nc.InputError, match=r"found 300 in step 0"):
        session.push_events(many, steps=1)
    assert session.steps == 0


def test_several_inputs_go_by_name() -> None:
    left, right = np.zeros(2), np.zeros(3)
    arrays, one = as_steps({"right": right, "left": left}, TWO)
    assert one
    assert [each.shape for each in arrays] == [(1, 2), (1, 3)]
    arrays, one = as_steps({"left": np.zeros((4, 2)), "right": np.zeros((4, 3))}, TWO)
    assert not one
    with pytest.raises(nc.InputError, match=r"the inputs have different numbers of steps, \[4, 5\]"):
        as_steps({"left": np.zeros((4, 2)), "right": np.zeros((5, 3))}, TWO)
    with pytest.raises(nc.InputError, match="the network has 2 inputs; give a dictionary with each of 'left', 'right'"):
        as_steps(left, TWO)
    with pytest.raises(nc.InputError, match=r"expected one step of shape \(3,\)"):
        as_steps({"left": left, "right": np.zeros((1, 3))}, TWO)


def test_a_closed_session_takes_nothing(network: Compiled, events: Floats) -> None:
    none = np.zeros((0, 2), int)
    with network.stream() as session:
        session.push(events[0])
        assert not session.closed
    assert session.closed
    session.close()
    for forbidden in (lambda: session.push(events[0]), session.reset, lambda: session.push_events(none, steps=1)):
        with pytest.raises(nc.StreamError, match="this stream is closed"):
            forbidden()
    assert session.steps == 40


@pytest.mark.parametrize("steps", [-1, 1.5, None])
def test_the_number_of_steps_is_a_number(recurrent: Path, steps: int) -> None:
    session = nc.compile(recurrent, target="cpu", nir=OPTIONS).stream()
    with pytest.raises(nc.OptionError, match="steps"):
        session.push_events(np.zeros((0, 2), int), steps=steps)


def test_threads_of_one_session_take_turns(recurrent: Path) -> None:
    """Equal steps: whoever pushes, the state goes through the same sequence, and every output comes once."""
    network = nc.compile(recurrent, target="cpu", nir=OPTIONS, conversion=INTEGERS)
    step = np.ones(3, np.float32)
    expected = array(network.run(np.ones((1, 2000, 3), np.float32)).outputs)[0]
    session = network.stream()
    with ThreadPoolExecutor(4) as pool:
        said = [array(outputs) for outputs in pool.map(session.push, [step] * 2000)]
    assert session.steps == 2000
    np.testing.assert_array_equal(np.sort(said, axis=0), np.sort(expected, axis=0))


def test_others_go_on_while_a_network_runs(recurrent: Path) -> None:
    """The interpreter's lock is free: this thread never waits for as long as the push of the other takes."""
    session = nc.compile(recurrent, target="cpu", nir=OPTIONS).stream()
    many = np.ones((2_000_000, 3), np.float32)
    with ThreadPoolExecutor(1) as pool:
        assert any(_goes_on(pool.submit(session.push, many)) for _ in range(5))


def _goes_on(push: Future[object]) -> bool:
    started, longest = perf_counter(), 0.0
    while not push.done():
        before = perf_counter()
        sleep(1e-4)
        longest = max(longest, perf_counter() - before)
    return longest < (perf_counter() - started) / 4


def test_sessions_share_nothing(network: Compiled, events: Floats) -> None:
    expected = array(network.run(events).outputs)
    sessions = [network.stream() for _ in events]
    for step in range(events.shape[1]):
        for session, recording, outputs in zip(sessions, events, expected, strict=True):
            np.testing.assert_array_equal(array(session.push(recording[step])), outputs[step])


def test_images_are_run_whole(compiled: Compiled) -> None:
    with pytest.raises(nc.OptionError, match=r"a stream goes through a network of spike trains.*runs whole images"):
        compiled.stream()


def test_a_target_without_streams_says_who_has_them(recurrent: Path) -> None:
    network = nc.compile(recurrent, target="cpu", nir=OPTIONS)
    network.__dict__["program"] = object()
    with pytest.raises(nc.TargetError, match="target cpu:host takes whole recordings; cpu:host, cpu:c11 and nir take"):
        network.stream()
    assert array(network.stream(on="reference").push(np.zeros(3))).shape == (2,)
    with pytest.raises(nc.OptionError, match="not on='gpu'"):
        network.stream(on="gpu")


EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "stream_events.py"


def follow_events(*arguments: str) -> str:
    """What the example prints."""
    command = [sys.executable, str(EXAMPLE), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("options", [[], ["--weight-bits", "8"]], ids=["floats", "integers"])
def test_the_example_follows_random_events(tmp_path: Path, options: list[str]) -> None:
    assert ", 0 output spikes differ from" in follow_events(str(tmp_path), "--recordings", "2", *options)


@pytest.mark.slow
def test_the_example_follows_a_camera() -> None:
    data = Path(os.environ.get("NEUROCUDA_DATA", EXAMPLE.parents[2] / "shared" / "data"))
    if not (data / "nir" / "nmnist_cnn.nir").exists():
        pytest.skip(f"NEUROCUDA_DATA has no nir/nmnist_cnn.nir: {data}")
    told = follow_events(str(data))
    assert told.startswith("100.00 % of 100 images")
    assert ", 0 output spikes differ from" in told
