import { FactoryError } from "../../errors.ts";
import type { Mask } from "../../model/mask.ts";
import type { CredentialsOf } from "../oci/credentials.ts";

/** Where GitHub's API is, and what lets in there. */
export interface GithubAccess {
  /** Without a slash at its end. */
  base: string;
  token: string;
}

interface AccessDeps {
  /** As the environment says it. */
  said: GithubAccess & {
    /** Whether it is GitHub's own API. */
    isOwn: boolean;
  };
  credentialsOf: CredentialsOf;
  /** Is told the token. */
  mask: Mask;
}

/** What a header can carry. */
const TOKEN = /^[!-~]+$/;

/**
 * The token for GitHub's API: that of the environment, else the password that `docker login` keeps for ghcr.io, which is for GitHub
 * itself alone.
 * @throws FactoryError PACKAGE_TOKEN_MISSING; what `credentialsOf` throws
 */
export async function githubAccess({ said, credentialsOf, mask }: AccessDeps): Promise<GithubAccess> {
  const { base, isOwn } = said;
  let { token } = said;
  if (token === "" && isOwn) {
    const known = await credentialsOf("ghcr.io");
    token = (known?.kind === "password" ? known.password : (known?.token ?? "")).trim();
  }
  if (token !== "") mask.hide(token);
  if (!TOKEN.test(token))
    throw new FactoryError(
      "PACKAGE_TOKEN_MISSING",
      token === "" ? "there is no token for GitHub's API" : "the token for GitHub's API has a space in it",
      {
        fix: "set GH_TOKEN to one with the scopes `read:packages` and `delete:packages`, or log in with it: `docker login ghcr.io`",
      },
    );
  return { base, token };
}
