"""The hot loops of loop nests, as machine code: membranes stay in registers, plain loops are made of vectors."""

from __future__ import annotations

import pytest

from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.testing_assembly import assembly_of, inner_loops, spills

VECTORS = {"baseline": "xmm", "avx2": "ymm", "avx512vnni": "zmm", "neon": ".4s"}

SYNAPSES = {
    "conv2d": (
        "8x8x64xi1",
        "8x8x128xi32",
        "weight(dense<1> : tensor<1x3x3x64x128xi8>) stride [1, 1] padding [1, 1, 1, 1] dilation [1, 1]",
    ),
    "linear": ("800xi1", "256xi32", "weight(dense<1> : tensor<800x256xi8>)"),
}
PLAIN = {
    "charge": "cpu.charge %1 value(dense<[1, 2, 3, 4]> : tensor<4xi32>)",
    "fire": "cpu.fire %1 -> %2 threshold(dense<9> : tensor<1xi32>) layout [0, 1]",
}


def assembly(body: str, features: str) -> str:
    context = create_context()
    return assembly_of(parse_module(context, body), weights_of(context), features)


@pytest.mark.parametrize("features", VECTORS)
@pytest.mark.parametrize("kind", SYNAPSES)
def test_rows_of_weights_are_added_in_registers(kind: str, features: str) -> None:
    source, target, weight = SYNAPSES[kind]
    text = f"""
func.func @main(%x: tensor<{source}>) -> tensor<{target}> {{
  %y = cpu.program "network" steps 1 inputs(%x) {{
  ^bb0(%0: memref<{source}>):
    %1 = cpu.buffer : memref<{target}>
    cpu.{kind} %0 -> %1 {weight} steps [0, 1] : memref<{source}> -> memref<{target}>
    cpu.output %1 : memref<{target}>
  }} : (tensor<{source}>) -> (tensor<{target}>)
  func.return %y : tensor<{target}>
}}"""
    hot = [loop for loop in inner_loops(assembly(text, features), f"{kind}_0") if _adds(loop) >= 8]
    assert hot, "rows are added, eight vectors at a time"
    for loop in hot:
        assert not spills(loop), "\n".join(loop)
        assert VECTORS[features] in " ".join(loop)


def _adds(loop: list[str]) -> int:
    """How many vectors of membranes are added to; ARM extends as it adds."""
    return sum(line.split("\t")[0] in ("paddd", "vpaddd", "add", "saddw", "saddw2") for line in loop)


@pytest.mark.parametrize("features", VECTORS)
@pytest.mark.parametrize("kind", PLAIN)
def test_plain_loops_become_vectors(kind: str, features: str) -> None:
    text = f"""
func.func @main(%x: tensor<64x64xi32>) -> tensor<64x64xi32> {{
  %y = cpu.program "network" steps 1 inputs(%x) {{
  ^bb0(%0: memref<64x64xi32>):
    %1 = cpu.buffer offset 0 : memref<64x64xi32>
    %2 = cpu.buffer offset 16384 : memref<64x64xi1>
    %3 = cpu.buffer : memref<64x64xi32>
    {PLAIN[kind]} steps [0, 1] : memref<64x64xi32>{" -> memref<64x64xi1>" if kind == "fire" else ""}
    cpu.output %3 : memref<64x64xi32>
  }} : (tensor<64x64xi32>) -> (tensor<64x64xi32>)
  func.return %y : tensor<64x64xi32>
}}""".replace("[1, 2, 3, 4]> : tensor<4xi32>", f"{[*range(64)]}> : tensor<64xi32>")
    loops = inner_loops(assembly(text, features), f"{kind}_0")
    wide = ("ymm", "zmm") if features == "avx512vnni" else (VECTORS[features],)
    assert any(name in " ".join(loop) for loop in loops for name in wide), "\n\n".join(map("\n".join, loops))
