"""Adds the spikes of trains to counters, for reports."""

from __future__ import annotations

from xdsl.dialects import llvm
from xdsl.dialects.builtin import DictionaryAttr, UnitAttr
from xdsl.ir import Attribute, Block, Region, SSAValue

from neurocuda.dialects.cpu.layers import WORD
from neurocuda.passes.cpu.llvm.builder import Builder, i1, i64, ptr, vector
from neurocuda.passes.cpu.llvm.kernels import internal_function
from neurocuda.passes.cpu.llvm.numbers import stored


def tally_train(name: str, counter: Attribute) -> llvm.FuncOp:
    """counts[position][channel] <- what was there + the spikes of all steps.

    It takes the counters, the train, and the numbers of positions, steps and channels.
    """
    body = Region(Block(arg_types=[ptr, ptr, i64, i64, i64]))
    b = Builder(body)
    counts, train, positions, steps, channels = body.block.args
    kind = stored(counter)
    words = b.divide_unsigned(b.add(channels, WORD - 1), WORD)
    whole = b.divide_unsigned(channels, WORD)
    with b.loop(0, positions) as position, b.loop(0, steps) as step:
        first = b.mul(b.add(b.mul(position.index, steps), step.index), words)
        target = b.at(counts, b.mul(position.index, channels), kind)
        with b.loop(0, whole) as word:
            bits = b.bitcast(_word(b, train, first, word.index), vector(i1, WORD))
            place = b.at(target, b.sum_of((word.index, WORD)), kind)
            spikes = b.extend_unsigned(bits, kind)
            b.store(b.add(b.load(vector(kind, WORD), place), spikes), place)
        with b.loop(b.sum_of((whole, WORD)), channels) as channel:
            bits = _word(b, train, first, whole)
            spike = b.both(b.shift_right(bits, b.remainder(channel.index, WORD)), 1)
            place = b.at(target, channel.index, kind)
            b.store(b.add(b.load(kind, place), b.resize(spike, kind)), place)
    b.finish()
    facts = DictionaryAttr({"llvm.noalias": UnitAttr(), "llvm.nocapture": UnitAttr()})
    return internal_function(name, body, [facts, facts, *([DictionaryAttr({})] * 3)])


def _word(b: Builder, train: SSAValue, first: SSAValue, word: SSAValue) -> SSAValue:
    return b.load(i64, b.at(train, b.sum_of(first, word), i64))
