"""Floors: the list of heroes with less and less around it, to see what each layer costs.

`constant` answers the same bytes always; `raw` asks the driver and formats a string; `raw_jinja`
renders the same page with Jinja; `core_jinja` asks through SQLAlchemy Core instead of the driver.
None knows accounts, forms, errors or a second page.
"""
