/*
 * Text for the other side's command interpreter, of which nothing is interpreted: words and bytes
 * for a POSIX shell, and whole command lines of harmless words for any other one.
 */
#ifndef SALVOR_SERVICES_SSH_QUOTE_H
#define SALVOR_SERVICES_SSH_QUOTE_H

#include <stddef.h>

#include "base/buffer.h"

/* Appends `word` as one word of sh, whatever bytes it has; -1 when the buffer is full. */
int ssh_quote_word(struct buffer *out, const char *word);

/* Appends what stands between the quotes of printf '…' and prints exactly these bytes, NUL
 * included; -1 when the buffer is full. Pieces can follow each other. */
int ssh_quote_format(struct buffer *out, const void *data, size_t size);

/* 1 when cmd.exe, PowerShell and every sh take the word for what it is: letters, digits and
 * - _ . / : \ = + only, not empty. */
int ssh_word_is_plain(const char *word);

/* Base64 of the UTF-16LE of UTF-8 text, as -EncodedCommand of PowerShell takes it; owned by the
 * caller, NULL when it is not UTF-8. */
char *ssh_encoded_command(const char *text, size_t size);

#endif
