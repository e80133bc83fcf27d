"""Django's settings. Whatever an operator may choose comes from `config.environment`; nothing else is read here."""

from __future__ import annotations

import os
import sys
from typing import Any

from config import environment
from config.secret import secret_key

try:
    ENV = environment.read(os.environ)
    SECRET_KEY = ENV.secret_key or secret_key(ENV.home)
except environment.EnvironmentProblem as problem:
    # One sentence and out, whichever process reads the settings.
    sys.exit(f"loupe: {problem}")

BASE_DIR = environment.REPOSITORY
DEBUG = ENV.debug
ALLOWED_HOSTS = list(ENV.allowed_hosts)

LOUPE_HOME = ENV.home
LOUPE_WEIGHTS_DIR = ENV.weights
LOUPE_DEVICE = ENV.device
LOUPE_WORKERS = ENV.workers
LOUPE_INGEST_ROOTS = ENV.ingest_roots

# A worker that says nothing for so long is taken for dead, and its work goes to another.
LOUPE_LEASE_SECONDS = 15.0

# Labels have settled when a new clustering gives fewer faces than this share another person.
LOUPE_SETTLED_SHARE = 0.005

# Every kind of background job: its name in the database, and where its JobKind lives. Loaded on first use.
LOUPE_JOB_KINDS = {
    "ingest": "annotation.job_kinds.ingest.Ingest",
    "embed": "annotation.job_kinds.embed.Embed",
    "cluster": "annotation.job_kinds.cluster.ClusterFaces",
    "join_new": "annotation.job_kinds.join_new.JoinNewFaces",
    "apply_clustering": "annotation.job_kinds.apply_clustering.ApplyClustering",
    "labels": "annotation.job_kinds.labels.RefreshLabels",
    "mine": "mining.job_kinds.Mine",
    "error_models": "mining.job_kinds.RefreshErrorModels",
    "freeze": "annotation.job_kinds.freeze.Freeze",
    "train": "loop.job_kinds.train.Train",
    "evaluate": "loop.job_kinds.evaluate.Evaluate",
    "round": "loop.job_kinds.round.RoundJob",
    "promote": "loop.job_kinds.promote.Promote",
    "aim": "loop.job_kinds.aim.Aim",
    "synthetic_trial": "loop.job_kinds.synthetic_trial.SyntheticTrial",
    "synthesise": "synthesis.job_kinds.Synthesise",
    "synthesis_preview": "synthesis.job_kinds.PreviewSamples",
    "blender_setup": "synthesis.job_kinds.SetUpBlender",
}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "accounts",
    "jobs",
    "models_zoo",
    "annotation",
    "synthesis",
    "mining",
    "loop",
    "frontend",
    "config",
]

MIDDLEWARE = [
    "config.server_timing.ServerTimingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.content_security.ContentSecurityMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- state ---

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": ENV.database.host,
        "PORT": str(ENV.database.port),
        "NAME": ENV.database.name,
        "USER": ENV.database.user,
        "PASSWORD": ENV.database.password,
        "CONN_MAX_AGE": 600,  # a new one has to learn every table first
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": "5", **ENV.database.options},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
BROKER_URL = ENV.broker_url

_files: dict[str, Any]
if ENV.storage.directory is not None:
    MEDIA_ROOT = str(ENV.storage.directory)
    _files = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": MEDIA_ROOT, "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    }
else:
    _files = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": ENV.storage.bucket,
            "location": ENV.storage.prefix,
            "file_overwrite": False,
            "querystring_auth": True,
        },
    }
STORAGES = {
    "default": _files,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- jobs: a message only says "look at job N", so nothing is lost with the broker ---

CELERY_BROKER_URL = BROKER_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "global_keyprefix": "loupe:",
    "socket_connect_timeout": 2,
    "max_retries": 0,  # whoever decides shall not wait until a lost broker is back: the dispatcher sends what it missed
}
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TASK_DEFAULT_QUEUE = "default"

# --- web ---

STATIC_URL = "/static/"
STATIC_ROOT = str(ENV.home / "static")
WHITENOISE_USE_FINDERS = True  # serves straight from the apps: no collectstatic step to forget

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

_https = ENV.public_url.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "loupe_session"
CSRF_COOKIE_NAME = "loupe_csrf"
CSRF_FAILURE_VIEW = "frontend.views.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [ENV.public_url] if ENV.public_url else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 2000
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
LOUPE_MAX_UPLOAD_BYTES = ENV.max_upload_mb * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["config.permissions.Undeclared"],
    "DEFAULT_PAGINATION_CLASS": "foundation.rest.CursorPagination",
    "DEFAULT_PARSER_CLASSES": ["foundation.parsers.LimitedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "foundation.rest.problem_handler",
    "PAGE_SIZE": 100,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Loupe",
    "VERSION": "1",
    "DESCRIPTION": "Photos into clean, versioned, identity-labelled face data, and that data into better models.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["accounts.permissions.SignedIn"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "CapabilityEnum": "accounts.roles.Capability",
        "JobStateEnum": "jobs.models.JobState",
        "UnitStateEnum": "jobs.models.UnitState",
        "PhotoStateEnum": "annotation.models.Photo.State",
        "VersionStateEnum": "annotation.models.DatasetVersion.State",
        "StatementKindEnum": "annotation.api.statements.SAYABLE",
        "DecisionKindEnum": "annotation.api.decisions.KINDS",
        "AimedSplitEnum": "loop.serializers.AIMED_SPLITS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "foundation.openapi.add_problems",
    ],
}

# --- language and time ---

LANGUAGE_CODE = "en-gb"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

# --- logging: to standard error, one line each; no settings, bodies or headers are ever written ---

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": ENV.log_level},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "botocore": {"level": "WARNING"},
        "PIL": {"level": "WARNING"},
        "faiss": {"level": "WARNING"},
    },
}
