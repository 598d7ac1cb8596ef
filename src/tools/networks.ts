import { FactoryError } from "../errors.ts";
import { type EngineApi, EngineRefusal, pathPart, textOf } from "./engine-api.ts";
import type { Refusable } from "./containers.ts";

/** The networks of an engine, by name. Every call may throw ENGINE_UNREACHABLE and INTERRUPTED. */
export interface Networks {
  /** A network that leads nowhere but to the containers in it. */
  create: (name: string, labels: Record<string, string>, signal?: AbortSignal) => Promise<Refusable<null>>;
  /** Puts a container that is not started yet into a network too. */
  connect: (name: string, container: string, signal?: AbortSignal) => Promise<Refusable<null>>;
  /** One that is gone is fine. @throws FactoryError ENGINE_FAILED, for one that still has containers */
  remove: (name: string) => Promise<void>;
  /** All that have a label: `name` or `name=value`. @throws FactoryError ENGINE_FAILED */
  list: (label: string) => Promise<{ name: string; labels: Record<string, string>; ageS: number }[]>;
}

function failed(what: string, error: unknown, fix?: string): unknown {
  return error instanceof EngineRefusal
    ? new FactoryError("ENGINE_FAILED", `${what}: ${error.message}`, { fix })
    : error;
}

async function refusable(ask: () => Promise<unknown>): Promise<Refusable<null>> {
  try {
    await ask();
    return { value: null };
  } catch (error) {
    if (error instanceof EngineRefusal) return { refused: error.message };
    throw error;
  }
}

export function createNetworks(api: EngineApi): Networks {
  const of = (name: string, rest = "") => `/networks/${pathPart(name)}${rest}`;
  return {
    create: (Name, Labels, signal) =>
      refusable(() =>
        api.json("POST", "/networks/create", {
          body: { Name, Driver: "bridge", Internal: true, Attachable: false, Labels },
          signal,
        }),
      ),
    connect: (name, Container, signal) =>
      refusable(() => api.json("POST", of(name, "/connect"), { body: { Container }, signal })),
    remove: async (name) => {
      await api.json("DELETE", of(name)).catch((error: unknown) => {
        if (error instanceof EngineRefusal && error.status === 404) return;
        throw failed("a network could not be removed", error, `docker network rm ${name}`);
      });
    },
    list: async (label) => {
      try {
        const query = { filters: { label: [label] } };
        const { headers, body } = await api.stream("GET", "/networks", { query });
        const now = Date.parse(String(headers.date ?? "")) || Date.now();
        const listed = JSON.parse(await textOf(body)) as {
          Name: string;
          Labels: Record<string, string> | null;
          Created: string;
        }[];
        return listed.map(({ Name, Labels, Created }) => ({
          name: Name,
          labels: Labels ?? {},
          ageS: (now - Date.parse(Created)) / 1000,
        }));
      } catch (error) {
        throw failed("listing networks", error);
      }
    },
  };
}
