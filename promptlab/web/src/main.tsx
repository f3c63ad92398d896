/** Where the page begins. */

import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "./app/base.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { theme, variables } from "./app/theme";
import { nonce } from "./lib/nonce";
import { ApiError } from "./api/errors";
import { Boundary } from "./ui/Boundary";

const queries = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 10_000, retry: (count, error) => !(error instanceof ApiError) && count < 2, refetchOnWindowFocus: true },
  },
});
// A session that is over shows as a 401 of any request: ask again who this is, and the sign-in appears.
queries.getQueryCache().subscribe((event) => {
  if (event.type === "updated" && event.action.type === "error" && event.action.error instanceof ApiError && event.action.error.unauthenticated)
    void queries.invalidateQueries({ queryKey: ["whoami"] });
});

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" getStyleNonce={nonce}>
      <QueryClientProvider client={queries}>
        <Notifications position="bottom-right" autoClose={5000} limit={4} />
        <Boundary><App /></Boundary>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
