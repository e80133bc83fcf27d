from django.apps import AppConfig


class RootConfig(AppConfig):
    name = "config"
    verbose_name = "Composition root"
