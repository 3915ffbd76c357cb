"use strict";

// "Try it out" begins as a dry run. Only the document that this page shows has that default.
const beginWithDryRun = {
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (original) => (spec) => {
          for (const path of Object.values(spec?.paths ?? {})) {
            for (const operation of Object.values(path)) {
              for (const parameter of operation.parameters ?? []) {
                if (parameter.name === "dry_run") {
                  parameter.schema = { ...parameter.schema, default: true };
                }
              }
            }
          }
          return original(spec);
        },
      },
      wrapSelectors: {
        // The curl command authenticates by a token, also if this page does by a session.
        requestFor: (original) => (state, ...names) => {
          const request = original(...names);
          const place = ["headers", "Authorization"];
          return request && !request.getIn(place) ? request.setIn(place, "Bearer $TOKEN") : request;
        },
      },
    },
  },
};

const ui = SwaggerUIBundle({
  ...{{ settings|safe }},
  url: "{{ schema_url|escapejs }}",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [beginWithDryRun],
  layout: "BaseLayout",
  showMutatedRequest: false,
  requestInterceptor: (request) => {
    const isOwn = new URL(request.url, document.baseURI).origin === location.origin;
    if (isOwn && !request.headers.Authorization && !["GET", undefined].includes(request.method)) {
      request.headers["{{ csrf_header_name }}"] = "{{ csrf_token }}";
    }
    return request;
  },
});
