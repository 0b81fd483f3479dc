/* JSON as Go's encoder writes it: what HTML or JavaScript would misread is escaped. */
#ifndef SALVOR_RANCHER_GO_JSON_H
#define SALVOR_RANCHER_GO_JSON_H

#include <salvor/text.h>

/* The canonical document with '<', '>', '&', U+2028 and U+2029 escaped. The result is `json` itself
 * when it has none of them, else in `buffer`, which is emptied first. */
struct salvor_span go_json_escape(struct salvor_span json, struct salvor_text *buffer);

#endif
