"""What instructions a processor has, as far as kernels ask for it."""

from __future__ import annotations

from dataclasses import dataclass

from neurocuda.errors import OptionError

_V2 = ("sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16", "sahf")
_V3 = (*_V2, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
_V4 = (*_V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")
_VNNI = (*_V4, "avx512vnni", "avx512vbmi", "avx512vbmi2")


@dataclass(frozen=True)
class Features:
    """A processor: LLVM's name of it, and LLVM's names of what it has; `architecture` is "x86_64" or "aarch64"."""

    architecture: str
    processor: str
    flags: frozenset[str]

    @property
    def avx2(self) -> bool:
        """256-bit integers."""
        return "avx2" in self.flags

    @property
    def avx512(self) -> bool:
        """512-bit integers of 8 and 16 bits, and masks."""
        return {"avx512f", "avx512bw", "avx512vl"} <= self.flags

    @property
    def avx512vnni(self) -> bool:
        """`vpdpbusd` on 512 bits: sums of four products of u8 and s8, added to int32."""
        return self.avx512 and "avx512vnni" in self.flags

    @property
    def avxvnni(self) -> bool:
        """`vpdpbusd` on 256 bits."""
        return "avxvnni" in self.flags or (self.avx512 and "avx512vnni" in self.flags)

    @property
    def avx512vbmi2(self) -> bool:
        """`vpcompressb` and `vpcompressw`."""
        return self.avx512 and "avx512vbmi2" in self.flags

    @property
    def neon(self) -> bool:
        """128-bit vectors of ARM."""
        return self.architecture == "aarch64"

    @property
    def dotprod(self) -> bool:
        """`sdot` and `udot` of ARM."""
        return self.neon and "dotprod" in self.flags

    @property
    def i8mm(self) -> bool:
        """`usdot` of ARM: sums of four products of u8 and s8."""
        return self.neon and "i8mm" in self.flags

    @property
    def vector_bytes(self) -> int:
        """The widest vectors that integers have."""
        return 64 if self.avx512 else 32 if self.avx2 else 16

    @property
    def description(self) -> str:
        """For provenance: "znver5 with AVX-512 VNNI"."""
        names = (("AVX-512 VNNI", self.avx512vnni), ("AVX-512", self.avx512), ("AVX2", self.avx2), ("NEON", self.neon))
        best = next((name for name, has in names if has), None)
        return f"{self.processor} with {best}" if best else self.processor


LEVELS = {
    "baseline": Features("x86_64", "x86-64", frozenset()),
    "avx2": Features("x86_64", "x86-64-v3", frozenset(_V3)),
    "avx512vnni": Features("x86_64", "x86-64-v4", frozenset(_VNNI)),
    "neon": Features("aarch64", "generic", frozenset({"neon"})),
}
"""Processors by name, for tests and for machines other than this one."""


def features_named(name: str) -> Features:
    """The processor of a name; "host" is the one that this process runs on.

    Raises:
        OptionError: there is no such name.
    """
    if name == "host":
        return _host()
    if name not in LEVELS:
        raise OptionError(f"features are one of host, {', '.join(LEVELS)}, not '{name}'")
    return LEVELS[name]


def _host() -> Features:
    from llvmlite import binding

    architecture = binding.get_default_triple().split("-")[0]
    flags = binding.get_host_cpu_features()
    return Features(
        "aarch64" if architecture in ("aarch64", "arm64") else "x86_64",
        binding.get_host_cpu_name(),
        frozenset(name for name, has in flags.items() if has),
    )
