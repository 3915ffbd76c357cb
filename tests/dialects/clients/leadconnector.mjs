// Drive the packages @gnosticdev/highlevel-sdk and 0nmcp.
// Arguments: base URL, token, location, pipeline, stage. Prints the results as JSON.
import { createHighLevelClient } from "@gnosticdev/highlevel-sdk";
import contactTools from "0nmcp/crm/contacts.js";
import opportunityTools from "0nmcp/crm/opportunities.js";
import { registerTools } from "0nmcp/crm/helpers.js";
import { z } from "zod";

const [baseUrl, token, location, pipeline, stage] = process.argv.slice(2);
const VENDOR = "https://services.leadconnectorhq.com";
const realFetch = globalThis.fetch;
// 0nmcp has the vendor's URL as a constant.
globalThis.fetch = (url, options) =>
  realFetch(typeof url === "string" && url.startsWith(VENDOR) ? baseUrl + url.slice(VENDOR.length) : url, options);

const results = { sdk: {}, tools: {} };
const headers = { Version: "2021-07-28" };
const sdk = createHighLevelClient({ baseUrl }, "integration", {
  accessType: "Sub-Account",
  privateToken: token,
  scopes: [],
});
const sdkCall = async (name, call) => {
  const { data, error, response } = await call;
  results.sdk[name] = { status: response.status, data, error };
  return data;
};
const params = (more = {}) => ({ params: { header: headers, ...more } });

const made = await sdkCall(
  "create contact",
  sdk.contacts.POST("/contacts/", { ...params(), body: { locationId: location, firstName: "Sam", email: "sam@x.io" } }),
);
const contactId = made.contact.id;
await sdkCall("read contact", sdk.contacts.GET("/contacts/{contactId}", params({ path: { contactId } })));
await sdkCall("list contacts", sdk.contacts.GET("/contacts/", params({ query: { locationId: location } })));
await sdkCall("pipelines", sdk.opportunities.GET("/opportunities/pipelines", params({ query: { locationId: location } })));
const opportunity = await sdkCall(
  "create opportunity",
  sdk.opportunities.POST("/opportunities/", {
    ...params(),
    body: { pipelineId: pipeline, locationId: location, name: "Roof", status: "open", contactId, monetaryValue: 1.1 * 3 },
  }),
);
const id = opportunity.opportunity.id;
await sdkCall("read opportunity", sdk.opportunities.GET("/opportunities/{id}", params({ path: { id } })));
await sdkCall(
  "update opportunity",
  sdk.opportunities.PUT("/opportunities/{id}", { ...params({ path: { id } }), body: { name: "Roof 2", pipelineStageId: stage } }),
);
await sdkCall(
  "search opportunities",
  sdk.opportunities.GET("/opportunities/search", params({ query: { location_id: location } })),
);
await sdkCall(
  "status",
  sdk.opportunities.PUT("/opportunities/{id}/status", { ...params({ path: { id } }), body: { status: "won" } }),
);
await sdkCall("delete opportunity", sdk.opportunities.DELETE("/opportunities/{id}", params({ path: { id } })));

const tools = {};
registerTools({ tool: (name, _description, _schema, run) => (tools[name] = run) }, z, [...contactTools, ...opportunityTools]);
const tool = async (name, given) => {
  const answer = await tools[name]({ access_token: token, location_id: location, ...given });
  results.tools[name] = JSON.parse(answer.content[0].text);
  return results.tools[name].data;
};
const person = await tool("crm_upsert_contact", { firstName: "Ola", email: "ola@x.io", phone: "+48 22 555 01 23" });
const personId = person.contact.id;
await tool("crm_get_contact", { contactId: personId });
await tool("crm_update_contact", { contactId: personId, city: "Rome" });
await tool("crm_search_opportunities", { locationId: location });
await tool("crm_list_pipelines", { locationId: location });
const upsert = { locationId: location, pipelineId: pipeline, contactId: personId, name: "Garage", status: "open" };
const first = await tool("crm_upsert_opportunity", { ...upsert, monetaryValue: 50 });
const opportunityId = first.opportunity.id;
await tool("crm_get_opportunity", { opportunityId });
await tool("crm_update_opportunity", { opportunityId, name: "Garage 2" });
await tool("crm_update_opportunity_status", { opportunityId, status: "won" });
results.again = (await tool("crm_upsert_opportunity", { ...upsert, status: "won", monetaryValue: 60 })).opportunity.id === opportunityId;
await tool("crm_delete_opportunity", { opportunityId });
await tool("crm_delete_contact", { contactId: personId });
console.log(JSON.stringify(results));
