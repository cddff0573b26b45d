"""Second factors: authenticator apps, passkeys and recovery codes, beside the password."""
