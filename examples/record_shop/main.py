"""The shop: its pages and its sign-in."""

from fastapi import FastAPI

from record_shop import pages, sign_in

app = FastAPI(title="Groove Lane Records")
app.include_router(pages.router)
app.include_router(sign_in.router)
