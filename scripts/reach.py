"""Read the settings and reach the database, in the virtual environment; a sentence instead of a traceback."""

import os
import sys


def main() -> int:
    """Print what was found; or, on stderr, what is wrong, naming the variable."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)
        return 1
    from django.db import connection
    from django.db.utils import Error

    # One plain connection: a pool would try again for as long as it may, and then not say why.
    connection.settings_dict["OPTIONS"].pop("pool", None)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = cursor.fetchone()[0].split()[0]
            cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'")
            has_postgis = cursor.fetchone()[0]
    except Error as error:
        print(f"DATABASE_URL cannot be reached: {str(error).strip().splitlines()[0]}", file=sys.stderr)
        return 1
    if not has_postgis:
        print("DATABASE_URL leads to a server without PostGIS: install it there.", file=sys.stderr)
        return 1
    print(f"read; PostgreSQL {version} answers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
