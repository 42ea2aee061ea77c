"""Finds where the activation of a block is saturated, and where it blocks the gradient."""

from __future__ import annotations

from dataclasses import dataclass

from tinynets.nn.block import Block
from tinynets.nn.layers import Activation
from tinynets.nn.network import Network
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array


def activation_of(network: Network, block: Block) -> Activation | None:
    """The activation of a block: the one behind its layers, or the one inside an RNN."""
    inside = network.layers[block.first].inner_activation if block.last == block.first else None
    return block.activation or inside


@dataclass(frozen=True)
class Flatness:
    """Where a block's activation is saturated, and where it blocks the gradient; masks (B, positions, units)."""

    saturated: Array
    blocked: Array


def flatness(network: Network, workspace: Workspace, block: Block, x: Array) -> Flatness | None:
    """The flatness in the last forward, of x, before interventions on the output; None without a single activation."""
    activation = activation_of(network, block)
    if activation is None:
        return None
    out = network.layers[block.last].untapped(workspace.buffers[block.last])
    before = None if block.activation is None else workspace.output_of(block.last - 1) if block.last else x
    masks = activation.saturated(out, before), activation.blocked(out, before)
    return Flatness(*(mask.reshape(len(out), -1, block.units) for mask in masks))
