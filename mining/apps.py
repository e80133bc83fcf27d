from django.apps import AppConfig


class MiningConfig(AppConfig):
    name = "mining"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import mining.schema  # noqa: F401 registers the extension
        from annotation.services.current_run import on_new_run
        from annotation.services.standing import on_change_of_standing
        from mining.services.answers import follow_ledger
        from mining.services.outdated import close_clusters_of_other_runs

        on_change_of_standing(follow_ledger)
        on_new_run(close_clusters_of_other_runs)
