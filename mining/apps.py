from django.apps import AppConfig


class MiningConfig(AppConfig):
    name = "mining"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from annotation.services.decisions import on_change_of_standing
        from mining.services.answers import follow_ledger

        on_change_of_standing(follow_ledger)
