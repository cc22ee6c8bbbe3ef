/* The glue of rimward_lambda.h: the canonical ABI of `lambda.invoke`, and JSON where it lies. */

#include "rimward_lambda.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* --- the canonical ABI: result<string, string> lies in memory as a tag and a string --- */

typedef struct {
  int32_t tag;
  char *at;
  size_t length;
} invoke_result;

static invoke_result answer;

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
  (void)old_size;
  if (size == 0) return (void *)align;
  void *at = realloc(old, size);
  if (at == NULL) abort();
  return at;
}

__attribute__((export_name("rimward:edge/lambda@1.0.0#invoke"))) invoke_result *invoke(
    char *event, size_t event_length, char *context, size_t context_length) {
  rimward_buffer result = {NULL, 0, 0};
  bool done = rimward_handle((rimward_text){event, event_length}, (rimward_text){context, context_length}, &result);
  if (event_length > 0) free(event);
  if (context_length > 0) free(context);
  answer = (invoke_result){done ? 0 : 1, result.at, result.length};
  return &answer;
}

__attribute__((export_name("cabi_post_rimward:edge/lambda@1.0.0#invoke"))) void after_invoke(invoke_result *result) {
  free(result->at);
  result->at = NULL;
}

/* --- writing --- */

static void make_room(rimward_buffer *buffer, size_t more) {
  if (buffer->room - buffer->length >= more) return;
  size_t room = buffer->room * 2 > buffer->length + more ? buffer->room * 2 : buffer->length + more;
  char *at = realloc(buffer->at, room);
  if (at == NULL) abort();
  buffer->at = at;
  buffer->room = room;
}

void rimward_put(rimward_buffer *buffer, rimward_text text) {
  if (text.length == 0) return;
  make_room(buffer, text.length);
  memcpy(buffer->at + buffer->length, text.at, text.length);
  buffer->length += text.length;
}

void rimward_puts(rimward_buffer *buffer, const char *text) { rimward_put(buffer, (rimward_text){text, strlen(text)}); }

void rimward_put_string(rimward_buffer *buffer, rimward_text text) {
  static const char HEX[] = "0123456789abcdef";
  rimward_puts(buffer, "\"");
  for (size_t i = 0; i < text.length; i++) {
    unsigned char c = (unsigned char)text.at[i];
    if (c == '"' || c == '\\') {
      char escaped[] = {'\\', (char)c};
      rimward_put(buffer, (rimward_text){escaped, 2});
    } else if (c < 0x20) {
      char escaped[] = {'\\', 'u', '0', '0', HEX[c >> 4], HEX[c & 15]};
      rimward_put(buffer, (rimward_text){escaped, 6});
    } else {
      rimward_put(buffer, (rimward_text){text.at + i, 1});
    }
  }
  rimward_puts(buffer, "\"");
}

/* --- reading --- */

static const char *past_space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
  return at;
}

/* The end of the value that begins at `at`: the node writes JSON that is sound, so that brackets need only be counted. */
static const char *past_value(const char *at, const char *end) {
  size_t depth = 0;
  while (at < end) {
    char c = *at;
    if (c == '"') {
      at++;
      while (at < end && *at != '"') at += *at == '\\' ? 2 : 1;
      if (at >= end) return end;
    } else if (c == '{' || c == '[') {
      depth++;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      depth--;
    } else if (depth == 0 && (c == ',' || c == ':' || c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      return at;
    }
    at++;
    if (depth == 0 && (c == '"' || c == '}' || c == ']')) return at;
  }
  return at;
}

rimward_text rimward_next(rimward_text container, rimward_text previous, rimward_text *name) {
  if (container.length < 2 || (container.at[0] != '{' && container.at[0] != '[')) return RIMWARD_NONE;
  const char *end = container.at + container.length - 1;
  const char *at = previous.at == NULL ? container.at + 1 : previous.at + previous.length;
  at = past_space(at, end);
  if (previous.at != NULL && at < end && *at == ',') at = past_space(at + 1, end);
  if (at >= end) return RIMWARD_NONE;
  if (container.at[0] == '{') {
    const char *start = at;
    at = past_value(at, end);
    if (name != NULL) *name = (rimward_text){start, (size_t)(at - start)};
    at = past_space(at, end);
    if (at < end && *at == ':') at = past_space(at + 1, end);
  }
  const char *start = at;
  at = past_value(at, end);
  return (rimward_text){start, (size_t)(at - start)};
}

rimward_text rimward_find(rimward_text value, const char *path) {
  while (*path != '\0' && value.at != NULL) {
    const char *dot = strchr(path, '.');
    size_t length = dot == NULL ? strlen(path) : (size_t)(dot - path);
    rimward_text name = RIMWARD_NONE, found = rimward_next(value, RIMWARD_NONE, &name);
    if (value.length > 0 && value.at[0] == '[') {
      for (long left = strtol(path, NULL, 10); left > 0 && found.at != NULL; left--) found = rimward_next(value, found, NULL);
    } else {
      while (found.at != NULL && !(name.length == length + 2 && memcmp(name.at + 1, path, length) == 0)) {
        found = rimward_next(value, found, &name);
      }
    }
    value = found;
    path += length + (dot == NULL ? 0 : 1);
  }
  return value;
}

bool rimward_is(rimward_text value, const char *text) {
  size_t length = strlen(text);
  return value.length == length + 2 && value.at[0] == '"' && memcmp(value.at + 1, text, length) == 0;
}

static unsigned hex4(const char *at) {
  char digits[5] = {at[0], at[1], at[2], at[3], '\0'};
  return (unsigned)strtoul(digits, NULL, 16);
}

static void put_code_point(rimward_buffer *buffer, unsigned long c) {
  char out[4];
  size_t length;
  if (c < 0x80) {
    out[0] = (char)c, length = 1;
  } else if (c < 0x800) {
    out[0] = (char)(0xC0 | c >> 6), out[1] = (char)(0x80 | (c & 0x3F)), length = 2;
  } else if (c < 0x10000) {
    out[0] = (char)(0xE0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 0x3F)), out[2] = (char)(0x80 | (c & 0x3F)), length = 3;
  } else {
    out[0] = (char)(0xF0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F)), out[3] = (char)(0x80 | (c & 0x3F)), length = 4;
  }
  rimward_put(buffer, (rimward_text){out, length});
}

bool rimward_get_string(rimward_text value, rimward_buffer *buffer) {
  if (value.length < 2 || value.at[0] != '"') return false;
  const char *at = value.at + 1, *end = value.at + value.length - 1;
  while (at < end) {
    if (*at != '\\' || end - at < 2) {
      rimward_put(buffer, (rimward_text){at++, 1});
      continue;
    }
    char kind = at[1];
    at += 2;
    if (kind != 'u') {
      const char *plain = strchr("b\bf\fn\nr\rt\t", kind);
      char c = plain != NULL ? plain[1] : kind;
      rimward_put(buffer, (rimward_text){&c, 1});
    } else if (end - at >= 4) {
      unsigned long c = hex4(at);
      at += 4;
      /* Two halves of a code point beyond U+FFFF. */
      if (c >= 0xD800 && c < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        c = 0x10000 + ((c - 0xD800) << 10) + (hex4(at + 2) - 0xDC00);
        at += 6;
      }
      put_code_point(buffer, c);
    }
  }
  return true;
}
