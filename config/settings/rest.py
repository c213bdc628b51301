"""The REST API: JSON only, errors as problem+json, a schema that is served."""

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    # Each door names its own credentials; a door that forgets to is shut.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "customers.api.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Rayon",
    "DESCRIPTION": "Geofence events in, one right offer out.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "BenefitKindEnum": ["percent", "amount", "price"],
        "FeedbackKindEnum": ["delivered", "opened", "dismissed", "useful", "not_interested", "complaint"],
        "ChannelEnum": ["push", "email", "sms"],
        "PurposeEnum": ["push", "email", "sms", "geolocation", "profiling"],
        "PlaceKindEnum": ["store", "aisle"],
        "ResultStatusEnum": ["accepted", "duplicate", "rejected"],
        "BulkStatusEnum": ["created", "updated", "rejected"],
    },
    "PREPROCESSING_HOOKS": ["offers.api.events.documented.document_events"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
