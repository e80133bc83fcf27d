"""All effects by name. Adding one: its file, its line here, its test."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from foundation.errors import InvalidInput, NotFound
from synthesis.effects.base import Effect

EFFECTS: dict[str, str] = {
    "low_resolution": "synthesis.effects.low_resolution.LowResolution",
    "motion_blur": "synthesis.effects.motion_blur.MotionBlur",
    "defocus_blur": "synthesis.effects.defocus_blur.DefocusBlur",
    "noise": "synthesis.effects.noise.Noise",
    "jpeg": "synthesis.effects.jpeg.Jpeg",
    "brightness_contrast": "synthesis.effects.brightness_contrast.BrightnessContrast",
    "colour_cast": "synthesis.effects.colour_cast.ColourCast",
    "glare": "synthesis.effects.glare.Glare",
    "light_falloff": "synthesis.effects.light_falloff.LightFalloff",
    "exposure": "synthesis.effects.exposure.Exposure",
    "gamma": "synthesis.effects.gamma.Gamma",
    "haze": "synthesis.effects.haze.Haze",
    "low_light": "synthesis.effects.low_light.LowLight",
    "colour_noise": "synthesis.effects.colour_noise.ColourNoise",
    "turbulence": "synthesis.effects.turbulence.Turbulence",
    "video": "synthesis.effects.video.Video",
    "directional_light": "synthesis.effects.directional_light.DirectionalLight",
    "shadow": "synthesis.effects.shadow.Shadow",
    "roll": "synthesis.effects.roll.Roll",
    "viewpoint": "synthesis.effects.viewpoint.Viewpoint",
    "fade": "synthesis.effects.fade.Fade",
    "scratches": "synthesis.effects.scratches.Scratches",
    "halftone": "synthesis.effects.halftone.Halftone",
    "misalignment": "synthesis.effects.misalignment.Misalignment",
    "mask": "synthesis.effects.mask.Mask",
    "sunglasses": "synthesis.effects.sunglasses.Sunglasses",
    "bar": "synthesis.effects.bar.Bar",
    "hand": "synthesis.effects.hand.Hand",
    "fringe": "synthesis.effects.fringe.Fringe",
}


def make_effect(name: str, **settings: Any) -> Effect:
    """The effect called `name`, with its ranges or others in their place.

    Raises:
        NotFound: there is none; the message lists those that exist.
        InvalidInput: it has no such setting.
    """
    if name not in EFFECTS:
        raise NotFound(f"No effect is called {name!r}; known are {', '.join(EFFECTS)}.", code="unknown_effect")
    module, _, cls = EFFECTS[name].rpartition(".")
    try:
        effect: Effect = getattr(import_module(module), cls)(**settings)
    except TypeError as error:
        raise InvalidInput(f"Effect {name} can't be made: {error}.", code="unknown_setting") from error
    return effect
