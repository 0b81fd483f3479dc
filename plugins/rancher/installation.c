#include "installation.h"

#include "cluster.h"
#include "site.h"
#include "versions.h"

/* The setting server-version is the archive's until Rancher starts: what runs is what the image
 * says, where its tag is a version at all. */
static salvor_status look(salvor_call *call, const struct site *site, json_t *parameters,
                          uint32_t *ret_answer)
{
    struct version wanted;
    struct version image;
    version_read(salvor_json_text(parameters, "/version", ""), &wanted);
    version_read(site->image_version, &image);
    *ret_answer = SALVOR_CHECK_NOT_STARTED;
    if (!site->has_rancher)
        return salvor_note(call, "Rancher is not installed yet");
    if (wanted.known && image.known && !version_is_same(&wanted, &image)) {
        *ret_answer = SALVOR_CHECK_CONFLICT;
        return salvor_note(call, "Rancher %s was installed, and the archive is of %s", image.text,
                           wanted.text);
    }
    if (site->ready < 1)
        return salvor_note(call, "no replica of Rancher is ready yet");
    *ret_answer = SALVOR_CHECK_DONE;
    return SALVOR_OK;
}

salvor_status rancher_is_installed(salvor_call *call, const struct salvor_step *step,
                                   json_t *parameters, uint32_t *ret_answer)
{
    salvor_kube_client *client = NULL;
    struct site site;
    (void)step;
    SALVOR_TRY(cluster_open(call, 0, &client));
    salvor_status status = site_look(call, client, &site);
    if (status == SALVOR_OK)
        status = look(call, &site, parameters, ret_answer);
    salvor_kube_of(call)->client_close(call, client);
    return status;
}
