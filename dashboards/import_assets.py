"""Provision Superset: its own tables, the administrator, the roles, and the assets of this folder.

All is done anew at each start, in one process: assets are overwritten, so what is in this folder is
what people see. (`superset import-dashboards` would leave charts and datasets as they were.)
"""

from __future__ import annotations

import os
from pathlib import Path

import yaml
from flask_migrate import upgrade
from superset.app import create_app

ASSETS = Path(__file__).resolve().parent / "assets"
ADMIN = "admin"
READER = "Viewer"
CHANGES = ("can_write", "can_add", "can_edit", "can_delete", "can_export", "can_import")


def contents() -> dict[str, str]:
    """The assets by their path, as Superset exports them; the address is from the settings."""
    found = {str(p.relative_to(ASSETS)): p.read_text() for p in sorted(ASSETS.rglob("*.yaml"))}
    found["metadata.yaml"] = (
        "version: 1.0.0\ntype: assets\ntimestamp: '2026-01-01T00:00:00+00:00'\n"
    )
    return found


def make_admin(manager: object, password: str) -> None:
    """The one user that there is at first; the password of the environment rules."""
    user = manager.find_user(username=ADMIN)  # type: ignore[attr-defined]
    if user:
        manager.reset_password(user.id, password)  # type: ignore[attr-defined]
        return
    role = manager.find_role("Admin")  # type: ignore[attr-defined]
    made = manager.add_user(ADMIN, "Ad", "Min", "admin@localhost", role, password)  # type: ignore[attr-defined]
    if not made:
        raise SystemExit("Superset made no administrator: see the lines above")


def make_reader(manager: object, database: object) -> None:
    """A role that sees all dashboards and changes none: Gamma without writing."""
    role = manager.add_role(READER)  # type: ignore[attr-defined]
    gamma = manager.find_role("Gamma")  # type: ignore[attr-defined]
    role.permissions = [p for p in gamma.permissions if not p.permission.name.startswith(CHANGES)]
    access = manager.add_permission_view_menu("database_access", database.perm)  # type: ignore[attr-defined]
    manager.add_permission_role(role, access)  # type: ignore[attr-defined]


def main() -> None:
    """Do it all. Raises KeyError for a variable that is missing."""
    password = os.environ["SUPERSET_ADMIN_PASSWORD"]
    app = create_app()
    with app.app_context():
        upgrade()
        from superset import appbuilder, db, security_manager
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.models.core import Database
        from superset.utils.core import override_user

        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        make_admin(security_manager, password)
        assets = contents()
        with override_user(security_manager.find_user(username=ADMIN)):
            ImportAssetsCommand(assets).run()
        uuid = yaml.safe_load(assets["databases/Segments.yaml"])["uuid"]
        database = db.session.query(Database).filter_by(uuid=uuid).one()
        database.set_sqlalchemy_uri(app.config["SEGMENTS_URI"])
        db.session.commit()
        make_reader(security_manager, database)
        db.session.commit()
    print(f"{len(assets) - 1} assets imported")


if __name__ == "__main__":
    main()
