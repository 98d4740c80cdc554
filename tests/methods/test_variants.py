"""Methods with another network than their own, by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.conftest import clean, psnr
from tests.helpers.quick import crop
from untaught import InputError, denoise, rerun
from untaught.methods.networks.denoisers import restorer
from untaught.methods.registry import make
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.methods.untrained.dip import DIP

X = clean(48, 48)
Y = crop(48)


@pytest.mark.parametrize("network", ["dncnn:4,16", "unet:16,2", "resnet", "hourglass-2"])
def test_a_learner_fits_any_network(network: str) -> None:
    method = make(f"n2v:{network}", {"steps": 60, "crop": 16, "rate": 0.01, "decay": 0.9})
    result = denoise(Y, method=method, noise="gaussian:25", stop="steps")
    assert psnr(result.image, X) > psnr(Y, X) + 2
    if network != "resnet":  # whose fit takes as long as those of the others together
        assert np.array_equal(rerun(result.recipe, Y).image, result.image)


def test_dip_fits_any_network() -> None:
    method = make("dip:unet", {"steps": 40})
    result = denoise(Y, method=method, noise="gaussian:25", stop="steps")
    assert result.recipe.planes[0].settings["shape"] == "unet"
    assert psnr(result.image, X) > psnr(Y, X) + 2


def test_the_names_that_are_typed() -> None:
    named = make("dip:hourglass-2-no-skips")
    assert isinstance(named, DIP)
    assert named == replace(DIP(), shape="hourglass-2-no-skips")
    learner = make("gr2r:dncnn:5x32")
    assert isinstance(learner, OnePicture)
    assert learner.shape == "dncnn:5x32"
    assert sum(isinstance(m, torch.nn.Conv2d) for m in learner.build(3).modules()) == 5


@pytest.mark.parametrize("name", ["r2r:unet", "self2self:unet", "nlm:unet"])
def test_what_has_one_network_only_says_so(name: str) -> None:
    with pytest.raises(InputError, match="one network only"):
        make(name)


@pytest.mark.parametrize("name", ["dip:unett", "n2v:unett", "n2v:", "dip:"])
def test_an_unknown_network_is_named_at_once(name: str) -> None:
    with pytest.raises(InputError, match="there is no network"):
        make(name)


def test_a_generator_as_a_restorer_starts_near_grey_and_reaches_beyond_the_range() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = restorer("resnet", 3, 3, 32)
    drawn = network(torch.rand(2, 3, 32, 32)).detach()
    assert drawn.shape == (2, 3, 32, 32)
    assert abs(float(drawn.mean())) < 1
    assert float(drawn.abs().max()) < 2
