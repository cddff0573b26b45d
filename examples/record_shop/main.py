"""The shop: its pages, its sign-in, and its admin below /admin."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from record_shop import pages, sign_in
from record_shop.admin import admin
from record_shop.database import engine


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    await admin.close()
    await engine.dispose()


app = FastAPI(title="Groove Lane Records", lifespan=lifespan)
app.include_router(pages.router)
app.include_router(sign_in.router)
app.mount("/admin", admin)
