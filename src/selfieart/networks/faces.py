"""The networks that find the 19 segments, by name: what training begins with."""

from __future__ import annotations

from selfieart.errors import unknown
from selfieart.networks.bisenet import BiSeNet
from selfieart.networks.blocks import FaceNetwork
from selfieart.networks.unet import UNet

_NETWORKS: dict[str, type[FaceNetwork]] = {"unet": UNet, "bisenet": BiSeNet}


def face_network(name: str) -> FaceNetwork:
    """The network of a face parser, untrained.

    Raises:
        UnknownName: there is no such network.
    """
    if name not in _NETWORKS:
        raise unknown("network", name, _NETWORKS)
    return _NETWORKS[name]()
