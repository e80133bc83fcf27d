from django.apps import AppConfig
from django.conf import settings

from synthesis.scenes.places import Places, configure


class SynthesisConfig(AppConfig):
    name = "synthesis"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        configure(Places(settings.ENV.home / "blender", settings.ENV.device))
