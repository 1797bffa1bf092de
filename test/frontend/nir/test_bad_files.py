"""Files that hold no network, or a broken one: one line each, that names the node or the edge."""

from __future__ import annotations

import re
import resource
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import h5py
import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from neurocuda.errors import ModelError, NeuroCudaError, OptionError, UnsupportedModelError
from neurocuda.frontend.nir.importer import import_nir
from neurocuda.ir.context import create_context
from neurocuda.ir.origin import origin_of
from neurocuda.options import NirOptions

Write: TypeAlias = Callable[..., Path]
Imported: TypeAlias = Callable[..., ModuleOp]
Nodes: TypeAlias = dict[str, tuple[str, dict[str, object]]]

CHAIN = [("input", "fc"), ("fc", "lif"), ("lif", "output")]


def chain() -> Nodes:
    """Three neurons behind a matrix."""
    three = np.ones(3)
    return {
        "input": ("Input", {"shape": np.array([2])}),
        "fc": ("Affine", {"weight": np.ones((3, 2)), "bias": np.zeros(3)}),
        "lif": ("LIF", {"tau": three, "r": three, "v_leak": 0 * three, "v_threshold": three, "v_reset": 0 * three}),
        "output": ("Output", {"shape": np.array([3])}),
    }


def changed(node: str, **parameters: object) -> Nodes:
    """The chain with some parameters of a node replaced, or removed where they are None."""
    nodes = chain()
    kind, given = nodes[node]
    merged = given | parameters
    return nodes | {node: (kind, {name: value for name, value in merged.items() if value is not None})}


def fails(path: Path, kind: type[NeuroCudaError], *words: str) -> None:
    """Importing fails with a line that has these words."""
    with pytest.raises(kind) as caught:
        import_nir(path, NirOptions(dt=0.1), create_context())
    line = str(caught.value).splitlines()[-1]
    assert all(word in line for word in words), line
    assert len(line) < 500


def edit(path: Path, change: Callable[[h5py.Group], None]) -> Path:
    """A file after a change below /node/nodes."""
    with h5py.File(path, "r+") as file:
        nodes = file["node/nodes"]
        assert isinstance(nodes, h5py.Group)
        change(nodes)
    return path


def test_the_chain_is_right(imported: Imported) -> None:
    assert "integrate_and_fire" in str(imported(chain(), CHAIN, NirOptions(dt=0.1)))


@pytest.mark.parametrize("content", [b"", b"\x89HDF", b"no HDF5 at all" * 100, b"\x89HDF\r\n\x1a\n" + bytes(500)])
def test_what_is_no_hdf5(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "network.nir"
    path.write_bytes(content)
    fails(path, ModelError, str(path), "no readable NIR file")


def test_no_file(tmp_path: Path) -> None:
    fails(tmp_path / "absent.nir", ModelError, "there is no such file")
    fails(tmp_path, ModelError, "there is no such file")


@pytest.mark.parametrize("part", [0.2, 0.6, 0.95])
def test_half_a_file(write: Write, part: float) -> None:
    path = write(chain(), CHAIN)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    fails(path, ModelError, str(path), "no readable NIR file")


def test_hdf5_without_a_graph(tmp_path: Path) -> None:
    path = tmp_path / "network.nir"
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=np.zeros(3))
    fails(path, ModelError, str(path), "no NIR graph")


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        (chain() | {"lif": ("Izhikevich", {"a": 1.0})}, ["'lif'", "Izhikevich"]),
        (changed("lif", tau=None), ["'lif'", "LIF", "tau", "another version"]),
        (changed("fc", bias=None), ["'fc'", "bias"]),
        (changed("lif", v_threshold=np.array([1, np.nan, 1])), ["'lif'", "v_threshold", "NaN"]),
        (changed("fc", weight=np.full((3, 2), np.inf)), ["'fc'", "weight", "infinity"]),
        (changed("fc", weight=np.full((3, 2), 1e300)), ["'fc'", "weight", "float32"]),
        (changed("lif", tau=np.array([1.0, 0.0, 1.0])), ["'lif'", "tau", "positive"]),
        (changed("lif", tau=-np.ones(3)), ["'lif'", "tau", "positive"]),
        (changed("lif", tau=np.full(3, 0.01)), ["'lif'", "tau", "dt"]),
        (changed("lif", tau=np.ones(3) * 1j), ["'lif'", "tau", "complex"]),
        (changed("fc", weight="ones"), ["'fc'", "weight"]),
        (changed("fc", weight=h5py.Empty("f")), ["'fc'", "weight"]),
        (changed("input", shape="two"), ["'input'", "shape"]),
        (changed("input", shape=np.array([2.5])), ["'input'", "shape", "whole"]),
        (changed("input", shape=np.array([-2])), ["'input'", "shape", "positive"]),
        (changed("fc", weight=np.ones((2, 3, 2))), ["'fc'", "weight", "(2, 3, 2)"]),
        (changed("fc", bias=np.zeros(4)), ["'fc'", "bias", "(4,)"]),
        (changed("fc", weight=np.ones((0, 2)), bias=np.ones(0)), ["'fc'", "no elements"]),
        (changed("lif", tau=np.ones(4)), ["'lif'", "tau (4,)", "r (3,)"]),
    ],
)
def test_a_wrong_node_is_named(write: Write, nodes: Nodes, words: list[str]) -> None:
    fails(write(nodes, CHAIN), UnsupportedModelError, *words)


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ([*CHAIN, ("lif", "nowhere")], ["edge 'lif -> nowhere'", "no node 'nowhere'"]),
        ([*CHAIN, ("nowhere", "fc")], ["edge 'nowhere -> fc'"]),
        ([("input", "fc"), ("fc", "output")], ["'lif'", "not connected"]),
        ([*CHAIN, ("fc", "input")], ["edge 'fc -> input'", "Input node receives nothing"]),
        ([("fc", "lif"), ("lif", "output")], ["'fc'", "nothing reaches it"]),
        (
            [("input", "lif"), ("lif", "output"), ("fc", "output"), ("input", "fc")],
            ["edge 'input -> lif'", "(2,)", "(3,)"],
        ),
    ],
)
def test_a_wrong_edge_is_named(write: Write, edges: list[tuple[str, str]], words: list[str]) -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        import_nir(write(chain(), edges), NirOptions(dt=0.1), create_context())
    assert any(all(word in line for word in words) for line in str(caught.value).splitlines()), caught.value


@pytest.mark.parametrize("end", ["input", "output"])
def test_a_graph_has_an_input_and_an_output(write: Write, end: str) -> None:
    nodes = {name: node for name, node in chain().items() if name != end}
    path = write(nodes, [edge for edge in CHAIN if end not in edge])
    with pytest.raises(UnsupportedModelError, match=f"no {end.title()} node"):
        import_nir(path, NirOptions(dt=0.1), create_context())


def test_a_cycle_without_state(write: Write) -> None:
    nodes = chain() | {"back": ("Scale", {"scale": np.ones(3)}), "forth": ("Scale", {"scale": np.ones(3)})}
    edges = [
        ("input", "fc"),
        ("fc", "forth"),
        ("forth", "back"),
        ("back", "forth"),
        ("forth", "lif"),
        ("lif", "output"),
    ]
    fails(write(nodes, edges), UnsupportedModelError, "cycle", "back", "forth", "no neuron and no delay")


def test_everything_wrong_is_told_at_once(write: Write) -> None:
    nodes = changed("fc", bias=None) | {"lif": ("Izhikevich", {"a": 1.0})}
    with pytest.raises(UnsupportedModelError) as caught:
        import_nir(write(nodes, CHAIN), NirOptions(dt=0.1), create_context())
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("node", ["fc", "lif"])
def test_huge_shapes_are_declared_and_never_allocated(write: Write, node: str) -> None:
    name = {"fc": "weight", "lif": "tau"}[node]

    def declare(nodes: h5py.Group) -> None:
        del nodes[f"{node}/{name}"]
        nodes.create_dataset(f"{node}/{name}", shape=(2**30, 2**10), dtype="f4", chunks=True)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fails(edit(write(chain(), CHAIN), declare), ModelError, f"node '{node}'", name, "declares over")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**19  # kilobytes


def test_arrays_that_are_declared_and_empty_are_not_allocated(write: Write) -> None:
    """Within the limit of all arrays together, and still far more than the file can hold."""

    def declare(nodes: h5py.Group) -> None:
        del nodes["fc/weight"]
        nodes.create_dataset("fc/weight", shape=(2**15, 2**14), dtype="f4", chunks=True)

    fails(edit(write(chain(), CHAIN), declare), ModelError, "node 'fc'", "weight", "the file holds 0 bytes of it")


def test_arrays_in_other_files_are_not_read(write: Write, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(48))

    def lead_away(nodes: h5py.Group) -> None:
        del nodes["fc/weight"]
        nodes.create_dataset("fc/weight", shape=(3, 2), dtype="f8", external=[(str(secret), 0, 48)])

    fails(edit(write(chain(), CHAIN), lead_away), ModelError, "node 'fc'", "weight", "another file")


def test_small_numbers_may_mean_huge_tensors(write: Write) -> None:
    fails(write(changed("input", shape=np.array([2**40])), CHAIN), UnsupportedModelError, "'input'", "2**31")
    fails(write(changed("input", shape=np.array([2**20] * 5)), CHAIN), UnsupportedModelError, "'input'", "elements")


def test_very_many_edges(write: Write) -> None:
    path = write(chain(), CHAIN)
    with h5py.File(path, "r+") as file:
        del file["node/edges"]
        file.create_dataset("node/edges", shape=(2**40, 2), dtype="S4", chunks=True)
    fails(path, ModelError, str(path), "edges")


def test_long_words_are_not_read(write: Write) -> None:
    path = write(chain(), CHAIN)
    with h5py.File(path, "r+") as file:
        del file["node/nodes/fc/type"]
        file.create_dataset("node/nodes/fc/type", shape=(), dtype=f"S{2**30}")
    fails(path, UnsupportedModelError, "'fc'", "type")


@pytest.mark.parametrize("place", ["nodes/fc/type", "nodes/fc/weight", "edges"])
def test_lists_of_numbers_are_no_words(write: Write, place: str) -> None:
    """The library follows their addresses wherever they lead in a damaged file."""
    path = write(chain(), CHAIN)
    with h5py.File(path, "r+") as file:
        del file[f"node/{place}"]
        file.create_dataset(f"node/{place}", shape=(3, 2) if place == "edges" else (), dtype=h5py.vlen_dtype("i4"))
    with pytest.raises(NeuroCudaError, match=place.rpartition("/")[2]):
        import_nir(path, NirOptions(dt=0.1), create_context())


@pytest.mark.parametrize("name", ["..", "../../etc/passwd", "a\nb", "a\x1b[2J", "n" * 300])
def test_names_lead_nowhere(write: Write, name: str) -> None:
    nodes = chain()
    del nodes["fc"]
    path = write(nodes, [(name, "lif"), ("lif", "output"), ("input", name)])
    with h5py.File(path, "r+") as file, suppress(ValueError):  # HDF5 itself refuses some names
        file.create_group(f"node/nodes/{name}")
    with pytest.raises(NeuroCudaError) as caught:
        import_nir(path, NirOptions(dt=0.1), create_context())
    lines = str(caught.value).splitlines()
    assert all(line.isprintable() and len(line) < 500 for line in lines)


def test_names_with_dots_spaces_and_letters_of_all_scripts_are_names(imported: Imported) -> None:
    names = {"fc": "schicht 1.größe", "lif": "神経"}
    nodes = {names.get(name, name): node for name, node in chain().items()}
    edges = [(names.get(a, a), names.get(b, b)) for a, b in CHAIN]
    module = imported(nodes, edges, NirOptions(dt=0.1))
    assert set(names.values()) <= {origin_of(op) for op in module.walk()}


LINKS: Mapping[str, object] = {
    "another file": h5py.ExternalLink("/etc/passwd", "/node"),
    "the whole graph": h5py.SoftLink("/node"),
    "nothing": h5py.SoftLink("/nowhere"),
}


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("place", ["fc", "fc/weight"])
def test_links_are_not_followed(write: Write, link: str, place: str) -> None:
    def lead_away(nodes: h5py.Group) -> None:
        del nodes[place]
        nodes[place] = LINKS[link]

    fails(edit(write(chain(), CHAIN), lead_away), UnsupportedModelError, "'fc'")


def test_a_graph_may_not_hold_itself(write: Write) -> None:
    def hold(nodes: h5py.Group) -> None:
        nodes["inner"] = nodes["/node"]

    path = edit(write(chain(), CHAIN), hold)
    with pytest.raises(ModelError, match="nested more than"):
        import_nir(path, NirOptions(dt=0.1), create_context())


def test_time_needs_a_clock(write: Write) -> None:
    with pytest.raises(OptionError, match=re.escape("node 'lif' means seconds: say how long a step is")):
        import_nir(write(chain(), CHAIN), NirOptions(), create_context())


def test_delays_are_whole_steps(write: Write) -> None:
    nodes = chain() | {
        "fc": ("Delay", {"delay": np.array([0.1, 0.25])}),
        "lif": ("Linear", {"weight": np.ones((3, 2))}),
    }
    fails(write(nodes, CHAIN), UnsupportedModelError, "'fc'", "whole numbers of steps")
    nodes["fc"] = ("Delay", {"delay": np.array([0.1, -0.2])})
    fails(write(nodes, CHAIN), UnsupportedModelError, "'fc'", "negative")
    nodes["fc"] = ("Delay", {"delay": np.array([0.1, 1e9])})
    fails(write(nodes, CHAIN), UnsupportedModelError, "'fc'", "steps")


def test_a_pooling_is_padded_by_numbers(write: Write) -> None:
    two = np.array([1, 1])
    nodes: Nodes = {
        "input": ("Input", {"shape": np.array([1, 4, 4])}),
        "pool": ("AvgPool2d", {"kernel_size": two, "stride": two, "padding": "same"}),
        "output": ("Output", {"shape": np.array([1, 4, 4])}),
    }
    path = write(nodes, [("input", "pool"), ("pool", "output")])
    with pytest.raises(UnsupportedModelError, match=r"'pool'.*padding is a word"):
        import_nir(path, NirOptions(), create_context())


def test_gains_fit_float32(write: Write) -> None:
    nodes = chain() | {"lif": ("I", {"r": np.full(3, 3e38)})}
    path = write(nodes, CHAIN)
    import_nir(path, NirOptions(dt=1.0), create_context())
    with pytest.raises(UnsupportedModelError, match=r"'lif'.*beyond float32"):
        import_nir(path, NirOptions(dt=10.0), create_context())


def test_single_numbers_may_have_axes(imported: Imported) -> None:
    nodes = changed("lif", r=np.ones((1, 1)), tau=np.ones((1, 1, 1)), v_threshold=np.array(1.0))
    imported(nodes, CHAIN, NirOptions(dt=0.1))


def test_several_spikes_per_step_need_positive_thresholds(write: Write) -> None:
    path = write(changed("lif", v_threshold=np.array([1.0, 0.0, 1.0])), CHAIN)
    import_nir(path, NirOptions(dt=0.1), create_context())
    with pytest.raises(UnsupportedModelError, match=r"'lif'.*v_threshold"):
        import_nir(path, NirOptions(dt=0.1, spikes_per_step=4), create_context())
