/* The bytes of a file: the look at them before anything parses them, and one kind of scalar taken from
 * them. */
#include <string.h>

#include "config/issue.h"
#include "config/utf8.h"
#include "config/yaml.h"

static void refuse(struct load *ld, struct place at, const char *text, size_t length, uint32_t code)
{
    const unsigned char byte = (unsigned char)text[0];

    if (length == 0)
        issue_error(ld, at, "byte 0x%02x is not UTF-8 text%s", byte,
                    byte >= 0xfe && at.offset == 0 ? "; it looks like UTF-16: save the file as UTF-8" : "");
    else if (code == 0)
        issue_error(ld, at, "a NUL byte: this is not a text file");
    else if (code == '\r')
        issue_error(ld, at, "a carriage return that does not end a line");
    else
        issue_error(ld, at, "the control character U+%04X is not allowed in a configuration", (unsigned)code);
}

bool yaml_scan(struct load *ld, uint32_t file)
{
    const struct source *source = &ld->sources[file];
    struct place at = {.file = file, .line = 1};

    for (size_t i = 0; i < source->length;) {
        uint32_t code;
        size_t step = utf8_decode(source->text + i, source->length - i, &code);
        bool bare = code == '\r' && (i + 1 == source->length || source->text[i + 1] != '\n');

        if (step == 0 || !utf8_is_allowed(code) || bare) {
            /* Only the first: a picture given for a configuration would fill the screen. */
            at.offset = (uint32_t)i;
            refuse(ld, at, source->text + i, step, code);
            return false;
        }
        if (code == '\n')
            at.line++;
        i += step;
    }
    return true;
}

size_t yaml_unquote(const char *raw, size_t length, char *out)
{
    size_t used = 0;

    for (size_t i = 0; i < length;) {
        size_t breaks = 0;

        if (raw[i] != '\n' && raw[i] != '\r') {
            i += raw[i] == '\'' ? 2 : 1;
            out[used++] = raw[i - 1];
            continue;
        }
        /* A line break and the blanks around it are one space; every further one is a line break. */
        while (used > 0 && (out[used - 1] == ' ' || out[used - 1] == '\t'))
            used--;
        for (; i < length && strchr(" \t\r\n", raw[i]); i++)
            breaks += raw[i] == '\n';
        if (breaks == 1)
            out[used++] = ' ';
        for (; breaks > 1; breaks--)
            out[used++] = '\n';
    }
    return used;
}
