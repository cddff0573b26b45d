"""The test kit; which Admin is tested stands in the settings of pytest, or after --admin."""

pytest_plugins = ["hero_admin.testing"]
