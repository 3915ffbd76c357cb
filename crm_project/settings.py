"""The one settings file; deployments differ by environment variables, each read exactly once."""

from csp.constants import NONE, SELF

from crm_project import __version__, environment, logs
from crm_project.languages import DEFAULT
from crm_project.languages import LANGUAGES as NAMES
from crm_project.staff.theme import UNFOLD  # noqa: F401

BASE_DIR = environment.BASE_DIR
env = environment.load()

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = environment.secret_key(env, debug=DEBUG)
SECRET_KEY_FALLBACKS = environment.secret_key_fallbacks(env)
# Hosts that serve a dialect at their root.
DIALECT_HOSTS = environment.dialect_hosts(env)
ALLOWED_HOSTS = environment.allowed_hosts(env, debug=DEBUG, also=DIALECT_HOSTS)

INSTALLED_APPS = [
    # Before Django's admin, whose site it replaces; the theme's own replacement is left out.
    "crm_project.staff",
    "unfold.apps.BasicAppConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "crm_project.background",
    "crm_project.mail",
    "crm_project.languages",
    "crm_project.accounts",
    "crm_project.records",
    "crm_project.journal",
    "crm_project.rates",
    "contacts",
    "pipelines",
    "deals",
    "crm_project.activities",
    "crm_project.api",
    "crm_project.imports",
    "crm_project.saved_views",
    "crm_project.goals",
    "crm_project.webhooks",
    "crm_project.notifications",
    "crm_project.setup",
    "crm_project.operations",
    "crm_project.dialects",
]

MIDDLEWARE = [
    "crm_project.logs.RequestLogMiddleware",
    "crm_project.health.HealthMiddleware",
    "crm_project.database.DatabaseMiddleware",
    "crm_project.api.middleware.RequestMiddleware",
    "crm_project.dialects.hosts.DialectHostMiddleware",
    "crm_project.api.middleware.CrossOriginMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "crm_project.compression.CompressionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "crm_project.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.common.CommonMiddleware",
    "crm_project.api.middleware.RateLimitMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "crm_project.staff.middleware.ReaderMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "crm_project.urls"
WSGI_APPLICATION = "crm_project.wsgi.application"
# A final slash is stripped by RequestMiddleware, never added by a redirect that loses a POST's body.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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

# The base view of the API opens a transaction for unsafe methods; ATOMIC_REQUESTS stays off.
DATABASE_LIMITS = environment.database_limits(env)
DATABASES = {"default": environment.database(env, limits=DATABASE_LIMITS)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "crm_project.accounts.passwords.GuessablePasswordValidator"},
]

# The life of a link that resets a password, in seconds.
PASSWORD_RESET_TIMEOUT = 60 * 60

LANGUAGE_CODE = DEFAULT
LANGUAGES = list(NAMES.items())
LOCALE_PATHS = [BASE_DIR / "crm_project/languages/locale"]
FORMAT_MODULE_PATH = ["crm_project.staff.formats"]
TIME_ZONE = "UTC"
USE_TZ = True

# The proxies whose X-Forwarded-For names the client: those that gunicorn trusts too.
TRUSTED_PROXIES = env.list("FORWARDED_ALLOW_IPS", default=["127.0.0.1", "::1"])
# Off only if browsers reach the server without TLS, as with `make run` on loopback. Gunicorn, not Django, trusts the
# X-Forwarded-Proto of a proxy, for the addresses in its FORWARDED_ALLOW_IPS.
BEHIND_TLS = env.bool("BEHIND_TLS", default=not DEBUG)
SECURE_SSL_REDIRECT = BEHIND_TLS
# A client of the API without TLS has already sent its token: a redirect would only hide that.
SECURE_REDIRECT_EXEMPT = [r"^api(/|$)", r"^dialects(/|$)"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = BEHIND_TLS
# Preloading applies to the whole domain, so its owner must decide.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SESSION_COOKIE_SECURE = BEHIND_TLS
CSRF_COOKIE_SECURE = BEHIND_TLS
# The prefix prevents other hosts of the domain from setting the cookie; browsers accept it only with TLS.
SESSION_COOKIE_NAME = "__Host-sessionid" if BEHIND_TLS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if BEHIND_TLS else "csrftoken"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# The origins whose pages may call the API and the dialects, with a token: cookies are not sent along.
CORS_ALLOWED_ORIGINS = environment.cors_origins(env)
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_METHODS = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "organization-id",
    "prefer",
    "tenant-id",
    "version",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "Dry-Run",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Ignored-Fields",
    "X-Request-ID",
]

# The API refuses a body above 1 MiB with a 413 itself; this limit is above that.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024 + 64 * 1024

# The budget of an answer that is built in memory. Exports and other streams have none.
ANSWER_MAX_ROWS = env.int("ANSWER_MAX_ROWS", default=2000)
ANSWER_MAX_BYTES = env.int("ANSWER_MAX_MIB", default=5) * 1024 * 1024
# Checked between the parts of an answer; a single statement has STATEMENT_TIMEOUT.
ANSWER_MAX_SECONDS = env.int("ANSWER_MAX_SECONDS", default=10)

# Requests in a window of seconds. A server process learns the counts of the others once a second, if they are shared.
RATE_LIMITS = {
    "token": environment.rate_limit(env.str("RATE_LIMIT_TOKEN", default="1000/60")),
    "user": environment.rate_limit(env.str("RATE_LIMIT_USER", default="2000/60")),
    "organization": environment.rate_limit(env.str("RATE_LIMIT_ORGANIZATION", default="5000/60")),
    "address": environment.rate_limit(env.str("RATE_LIMIT_ADDRESS", default="300/60")),
}
RATE_LIMIT_SHARED = env.bool("RATE_LIMIT_SHARED", default=True)
# The requests of a process that may wait at once for a background job to end (`Prefer: wait`).
WAITING_REQUESTS = environment.web_threads(env) // 4

# Uploaded files are stored in the database, which all machines share, for this number of days.
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_MIB", default=50) * 1024 * 1024
IMPORT_MAX_ROWS = env.int("IMPORT_MAX_ROWS", default=1_000_000)
IMPORT_KEEP_DAYS = env.int("IMPORT_KEEP_DAYS", default=14)
EXPORT_KEEP_DAYS = env.int("EXPORT_KEEP_DAYS", default=2)
# The admin offers to write longer lists in the background.
EXPORT_TASK_ROWS = env.int("EXPORT_TASK_ROWS", default=20_000)

# Background work. `thread`: the server processes run tasks; `command`: only `manage.py worker` does. IMPORT_WORKER was
# its name while there were imports alone.
TASK_WORKER = env.str("TASK_WORKER", default=env.str("IMPORT_WORKER", default="thread"))
# A worker that does not show for so long is considered dead, and its tasks are run again.
TASK_LEASE_SECONDS = env.int("TASK_LEASE_SECONDS", default=30)
TASK_KEEP_DAYS = env.int("TASK_KEEP_DAYS", default=30)
# `database`, or `procrastinate` on PostgreSQL, which is a package to install.
TASK_ENGINE = environment.task_engine(env, DATABASES["default"])
if TASK_ENGINE == "procrastinate":
    # Before the app that removes its page from the admin: the tasks have one.
    INSTALLED_APPS.insert(INSTALLED_APPS.index("crm_project.background"), "procrastinate.contrib.django")
    PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""
TASKS = {
    "default": {
        "BACKEND": {
            "database": "crm_project.background.backend.DatabaseBackend",
            "procrastinate": "crm_project.background.procrastinate_engine.ProcrastinateBackend",
        }[TASK_ENGINE],
        # What may take minutes has a queue of its own: imports, and mail, whose server may hang.
        "QUEUES": ["default", "mail", "long"],
    }
}

# Members give the URLs of webhooks. Hosts inside the network are reached only if they are named here, as `host` or
# `host:port`; http without TLS only to these hosts, unless it is allowed to all.
OUTBOUND_ALLOWED_HOSTS = environment.outbound_hosts(env)
OUTBOUND_ALLOW_HTTP = env.bool("OUTBOUND_ALLOW_HTTP", default=False)
# The endpoints that one process serves at once; half of them may be slow ones.
WEBHOOK_THREADS = env.int("WEBHOOK_THREADS", default=4)
WEBHOOK_TIMEOUT = env.int("WEBHOOK_TIMEOUT", default=15)
# The seconds before the second and each later try: ten tries over 75 hours.
WEBHOOK_RETRIES = env.list(
    "WEBHOOK_RETRIES",
    cast=float,
    default=[5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400],
)
# After this many days without a success an endpoint is paused.
WEBHOOK_FAILING_DAYS = env.int("WEBHOOK_FAILING_DAYS", default=5)
# Deliveries hold what was sent and answered, for this number of days.
WEBHOOK_KEEP_DAYS = env.int("WEBHOOK_KEEP_DAYS", default=30)
# After a rotation both secrets sign for this number of hours.
WEBHOOK_ROTATION_HOURS = env.int("WEBHOOK_ROTATION_HOURS", default=24)

# Where `manage.py backup` writes, and `doctor` looks: a directory, or a file that another tool writes.
BACKUP_PATH = env.str("BACKUP_PATH", default="")
BACKUP_MAX_AGE_HOURS = env.int("BACKUP_MAX_AGE_HOURS", default=26)

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}

# E-mail is printed to the console unless EMAIL_URL is set.
vars().update(environment.bounded_smtp(env.email_url("EMAIL_URL", default="consolemail://")))
# Seconds for each wait; `crm_project.mail.smtp` bounds the whole connection.
EMAIL_TIMEOUT = 10
# The address of the server in the links of mails.
PUBLIC_URL = environment.public_url(env, hosts=ALLOWED_HOSTS, tls=BEHIND_TLS)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="crm@localhost")

LOGGING = logs.config(
    level=env.str("LOG_LEVEL", default="INFO"),
    json_lines=env.str("LOG_FORMAT", default="text") == "json",
)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "crm_project.api.authentication.BearerAuthentication",
        "crm_project.api.authentication.MemberSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["crm_project.api.permissions.IsMember"],
    "DEFAULT_PARSER_CLASSES": ["crm_project.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "crm_project.api.schema.Schema",
    "DEFAULT_PAGINATION_CLASS": "crm_project.api.pagination.KeysetPagination",
    "EXCEPTION_HANDLER": "crm_project.api.errors.problem_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNICODE_JSON": True,
    "STRICT_JSON": True,
    "UPLOADED_FILES_USE_URL": False,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "CRM API",
    "DESCRIPTION": "Contacts, pipelines and the deals that move through them. Every request carries a token as"
    " `Authorization: Bearer …`; bodies are JSON in UTF-8, of at most 1 MiB. Lists are cursor pages: follow `next`."
    " Every refusal is a problem (RFC 9457) whose `code` is stable and whose `errors` name each wrong field."
    " Writes take an `Idempotency-Key` and `dry_run=true`; those of one row also `If-Match`.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Without the validator's badge, which another host serves.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none", "validatorUrl": None},
    "SCHEMA_PATH_PREFIX": r"/api",
    "PATH_CONVERTER_OVERRIDES": {
        "any_uuid": {"type": "string", "format": "uuid"},
        "id_or_uuid": {"oneOf": [{"type": "integer"}, {"type": "string", "format": "uuid"}]},
    },
    "DEFAULT_GENERATOR_CLASS": "crm_project.api.schema.CanonicalGenerator",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "crm_project.api.schema.add_problem",
        "crm_project.webhooks.api.document.add_webhooks",
    ],
    "ENUM_NAME_OVERRIDES": {
        "DealStatus": "deals.models.Deal.Statuses",
        "DealKey": "deals.services.bulk.MATCH_KEYS",
        "ContactKey": "contacts.services.MATCH_KEYS",
        "ActivityKey": "crm_project.records.writing.rows.MATCH_KEYS",
        "ActivityType": "crm_project.activities.models.Activity.Types",
        "Outcome": "crm_project.records.writing.receipts.OUTCOMES",
        "BulkOutcome": "crm_project.api.bulk.OUTCOMES",
        "BulkOperation": "crm_project.records.bulk.OPERATIONS",
        "BidType": "deals.models.Deal.BidTypes",
        "StageKind": "pipelines.models.Stage.Kinds",
        "ContactKind": "contacts.models.Contact.Kinds",
        "ImportKind": "crm_project.imports.models.Import.Kinds",
        "ImportFormat": "crm_project.imports.models.Import.Formats",
        "ImportState": "crm_project.imports.models.Import.States",
        "ExportState": "crm_project.imports.models.Export.States",
        "ImportTask": "crm_project.imports.models.Import.Tasks",
        "EventType": "crm_project.journal.event_types.known_types",
        "WebhookEvent": "crm_project.webhooks.rules.known_events",
        "WebhookFormat": "crm_project.webhooks.formats.names",
        "WebhookPause": "crm_project.webhooks.models.Webhook.Pauses",
        "WebhookDeliveryState": "crm_project.webhooks.models.WebhookDelivery.States",
        "CustomFieldKind": "crm_project.records.models.CustomField.Kinds",
        "CustomFieldType": "crm_project.records.models.CustomField.Types",
    },
}
