"""The device is chosen at run time; a variable overrides it."""

import pytest
import torch

import detseg
from detseg.errors import ArgumentError


def test_the_device_can_hold_a_tensor():
    assert torch.ones(2, device=detseg.device()).sum() == 2


def test_the_variable_overrides(monkeypatch):
    monkeypatch.setenv("DETSEG_DEVICE", "cpu")
    assert detseg.device() == torch.device("cpu")


def test_an_accelerator_comes_first(monkeypatch):
    monkeypatch.delenv("DETSEG_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert detseg.device() == torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert detseg.device() == torch.device("mps")


def test_a_device_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("DETSEG_DEVICE", "abacus")
    with pytest.raises(ArgumentError, match=r"DETSEG_DEVICE='abacus'.*it has cpu"):
        detseg.device()
