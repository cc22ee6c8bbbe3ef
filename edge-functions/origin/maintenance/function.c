/* Answers everything with 503 while MAINTENANCE is set in the function's environment, but for health checks and for those who
 * have the cookie `let-me-in`. Attach it to viewer-request. In C, in the JSON flavour. */

#include <rimward_lambda.h>
#include <stdlib.h>
#include <string.h>

static const char ANSWER[] =
    "{\"status\":\"503\",\"statusDescription\":\"Service Unavailable\",\"headers\":{"
    "\"content-type\":[{\"value\":\"text/html; charset=utf-8\"}],\"retry-after\":[{\"value\":\"300\"}],"
    "\"cache-control\":[{\"value\":\"no-store\"}]},\"body\":";

static const char PAGE[] =
    "<!DOCTYPE html>\n<title>Back soon</title>\n<h1>Back soon</h1>\n<p>We are working on it. Please try again in five minutes.</p>\n";

/* Whether a line of cookies has NAME=..., at its start or after a semicolon. */
static bool has_cookie(rimward_text line, const char *name) {
  size_t length = strlen(name);
  bool starts = true;
  for (size_t i = 0; i < line.length; i++) {
    if (starts && i + length < line.length && memcmp(line.at + i, name, length) == 0 && line.at[i + length] == '=') return true;
    starts = line.at[i] == ';' || (starts && line.at[i] == ' ');
  }
  return false;
}

static bool may_pass(rimward_text request) {
  if (rimward_is(rimward_find(request, "uri"), "/healthz")) return true;
  rimward_text cookies = rimward_find(request, "headers.cookie");
  for (rimward_text line = rimward_next(cookies, RIMWARD_NONE, NULL); line.at != NULL; line = rimward_next(cookies, line, NULL)) {
    rimward_buffer value = {NULL, 0, 0};
    bool found = rimward_get_string(rimward_find(line, "value"), &value) &&
                 has_cookie((rimward_text){value.at, value.length}, "let-me-in");
    free(value.at);
    if (found) return true;
  }
  return false;
}

bool rimward_handle(rimward_text event, rimward_text context, rimward_buffer *result) {
  (void)context;
  rimward_text request = rimward_find(event, "Records.0.cf.request");
  if (request.at == NULL) {
    rimward_puts(result, "TypeError: the event has no request");
    return false;
  }
  const char *maintenance = getenv("MAINTENANCE");
  if (maintenance == NULL || *maintenance == '\0' || may_pass(request)) {
    rimward_put(result, request);
    return true;
  }
  rimward_puts(result, ANSWER);
  rimward_put_string(result, (rimward_text){PAGE, sizeof PAGE - 1});
  rimward_puts(result, "}");
  return true;
}
