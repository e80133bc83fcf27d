from django.apps import AppConfig


class ModelsZooConfig(AppConfig):
    name = "models_zoo"
    default_auto_field = "django.db.models.BigAutoField"
