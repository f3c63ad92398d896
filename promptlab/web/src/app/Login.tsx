/** Signing in: a key is pasted once, and stays here as a cookie that no script can read. */

import { Alert, Button, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useState } from "react";
import { ApiError } from "../api/errors";
import { useSignIn } from "../api/whoami";
import { visible } from "../lib/text";
import { Mark } from "./Mark";
import classes from "./login.module.css";

export function Login() {
  useDocumentTitle("Sign in · Gatelog");
  const [key, setKey] = useState("");
  const signIn = useSignIn();
  const wrong = signIn.error instanceof ApiError && signIn.error.unauthenticated;
  return (
    <main className={classes.page}>
      <form
        className={classes.card}
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate(key.trim());
        }}
      >
        <Stack gap="md">
          <div className={classes.brand}><Mark size={28} /><Title order={1}>Sign in to Gatelog</Title></div>
          <Text c="dimmed">Paste a key of this gateway. The administrator’s was shown where it was first started; others come from them.</Text>
          <PasswordInput
            label="Key" name="key" autoFocus autoComplete="current-password" spellCheck={false} size="sm"
            value={key} onChange={(event) => setKey(event.currentTarget.value)}
            error={wrong ? "This is no key of this gateway, or no longer one." : undefined}
          />
          {signIn.error && !wrong && <Alert color="red" variant="light" role="alert">{visible(signIn.error.message)}</Alert>}
          <Button type="submit" size="sm" loading={signIn.isPending} disabled={!key.trim()}>Sign in</Button>
          <Text size="xs" c="dimmed">It is kept as a cookie for at most a day, and is over after eight hours without use.</Text>
        </Stack>
      </form>
    </main>
  );
}
