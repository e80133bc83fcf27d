from django.apps import AppConfig


class RootConfig(AppConfig):
    name = "config"
    verbose_name = "Composition root"

    def ready(self) -> None:
        import config.celery  # noqa: F401 - whoever sends a message in this process sends it to our broker
