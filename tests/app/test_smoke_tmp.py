import httpx
async def test_smoke(client: httpx.AsyncClient) -> None:
    for u in ["/", "/heroes", "/teams", "/heroes/new", "/heroes/1", "/api/heroes/", "/api/docs", "/api/openapi.json"]:
        r = await client.get(u)
        print(u, r.status_code, len(r.content), r.headers)
