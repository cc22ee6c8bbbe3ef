/* A Lambda@Edge function in C, in the JSON flavour of rimward:edge@1.0.0.
 *
 * Define rimward_handle, and build with `rimward build DIR -o function.wasm`. This header and what it declares are part of
 * the build; nothing is to be linked. The C library is wasi-libc: malloc, stdio on files below /tmp, getenv, clock_gettime.
 * An instance serves one event at a time, so that static variables need no locks; they live as long as the instance.
 */
#ifndef RIMWARD_LAMBDA_H
#define RIMWARD_LAMBDA_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of UTF-8, without a zero at the end. */
typedef struct {
  const char *at;
  size_t length;
} rimward_text;

/* Text that grows as it is written. Memory that cannot be had ends the call. */
typedef struct {
  char *at;
  size_t length, room;
} rimward_buffer;

/* The handler: `event` is {"Records":[{"cf":{...}}]}, `context` is {"awsRequestId": ...}; both are gone after the call.
 * Writes the result, a request or a response in JSON, to `result` and returns true; or writes what went wrong, such as
 * "TypeError: no cookie", and returns false. */
bool rimward_handle(rimward_text event, rimward_text context, rimward_buffer *result);

/* --- writing --- */

void rimward_put(rimward_buffer *buffer, rimward_text text);
/* A text that ends with a zero. */
void rimward_puts(rimward_buffer *buffer, const char *text);
/* `text` as a string of JSON, with quotes and escapes. */
void rimward_put_string(rimward_buffer *buffer, rimward_text text);

/* --- reading JSON where it lies: a value is the text of it, without the space around it --- */

/* Where nothing was found. */
#define RIMWARD_NONE ((rimward_text){NULL, 0})

/* The value of `path` below `value`: members by name, elements by number, such as "Records.0.cf.request.uri".
 * RIMWARD_NONE where there is none. */
rimward_text rimward_find(rimward_text value, const char *path);

/* The member or element after `previous`, or the first one where `previous` is RIMWARD_NONE. `name` gets a member's name,
 * quotes included, and may be NULL. RIMWARD_NONE at the end. */
rimward_text rimward_next(rimward_text container, rimward_text previous, rimward_text *name);

/* A string of JSON without its quotes and escapes, appended to `buffer`. False where `value` is no string. */
bool rimward_get_string(rimward_text value, rimward_buffer *buffer);

/* Whether `value` is a string of JSON that needs no escapes and reads `text`. */
bool rimward_is(rimward_text value, const char *text);

#endif
