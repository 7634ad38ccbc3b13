{{/* What every process is told, behind the prefix of its service; what is secret comes from settingsSecret. */}}
{{- define "bordereau.environment" -}}
- { name: {{ .service }}_HOST, value: "0.0.0.0" }
- { name: {{ .service }}_PORT, value: {{ .port | quote }} }
- { name: {{ .service }}_NATS_URL, value: {{ .values.natsUrl | quote }} }
- { name: {{ .service }}_TEMPORAL_ADDRESS, value: {{ .values.temporalAddress | quote }} }
- { name: {{ .service }}_TEMPORAL_NAMESPACE, value: {{ .values.temporalNamespace | quote }} }
- { name: {{ .service }}_TEMPORAL_UI_URL, value: {{ .values.temporalUiUrl | quote }} }
- { name: {{ .service }}_CODEC_KEY_FILE, value: /run/bordereau/codec.key }
{{- if index .values.claims .service }}
- { name: {{ .service }}_VAR, value: /var/lib/bordereau }
{{- end }}
- { name: {{ .service }}_IDENTITY_URL, value: "http://identity-api:8101" }
- { name: {{ .service }}_DIRECTORY_URL, value: "http://directory-api:8102" }
- { name: {{ .service }}_CERTIFICATES_URL, value: "http://certificates-api:8103" }
- { name: {{ .service }}_NOTIFICATIONS_URL, value: "http://notifications-api:8104" }
- { name: {{ .service }}_PORTAL_URL, value: {{ .values.portalUrl | quote }} }
- { name: {{ .service }}_REGISTRATION, value: {{ .values.registration | quote }} }
- { name: {{ .service }}_CLOCKS, value: {{ .values.clocks | quote }} }
{{- if ne .service "PORTAL" }}
- name: {{ .service }}_DATABASE_URL
  valueFrom: { secretKeyRef: { name: {{ .values.settingsSecret }}, key: {{ .service }}_DATABASE_URL } }
{{- end }}
{{- if eq .service "IDENTITY" }}
- name: IDENTITY_TOOLS
  valueFrom: { secretKeyRef: { name: {{ .values.settingsSecret }}, key: IDENTITY_TOOLS, optional: true } }
{{- end }}
{{- if eq .service "NOTIFICATIONS" }}
- name: NOTIFICATIONS_SMTP_USERNAME
  valueFrom: { secretKeyRef: { name: {{ .values.settingsSecret }}, key: NOTIFICATIONS_SMTP_USERNAME, optional: true } }
- name: NOTIFICATIONS_SMTP_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ .values.settingsSecret }}, key: NOTIFICATIONS_SMTP_PASSWORD, optional: true } }
- { name: NOTIFICATIONS_SMTP_HOST, value: {{ .values.smtp.host | quote }} }
- { name: NOTIFICATIONS_SMTP_PORT, value: {{ .values.smtp.port | quote }} }
- { name: NOTIFICATIONS_SMTP_SECURITY, value: {{ .values.smtp.security | quote }} }
- { name: NOTIFICATIONS_SENDER, value: {{ .values.smtp.sender | quote }} }
- { name: NOTIFICATIONS_CONTACT, value: {{ .values.smtp.contact | quote }} }
{{- end }}
{{- end }}

{{/* A container that may write nowhere and become nobody else. */}}
{{- define "bordereau.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}
