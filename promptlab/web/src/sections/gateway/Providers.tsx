/** Providers: where calls go, by which credentials, and which endpoints use them. */

import { Badge, Table } from "@mantine/core";
import { Panel } from "../../ui/Page";
import { Empty, Shown } from "../../ui/States";
import { Foreign } from "../../ui/values";
import { StateMark } from "./StateMark";
import { useProviders } from "./api";

export function Providers() {
  const providers = useProviders();
  return (
    <Panel title="Providers" flush>
      <Shown query={providers} isEmpty={(all) => !all.length} empty={<Empty title="No providers" />}>
        {(all) => (
          <Table.ScrollContainer minWidth={720} type="native">
            <Table>
              <Table.Thead><Table.Tr><Table.Th>Name</Table.Th><Table.Th>Address</Table.Th><Table.Th>Takes</Table.Th><Table.Th>Credentials</Table.Th><Table.Th>Endpoints</Table.Th></Table.Tr></Table.Thead>
              <Table.Tbody>
                {all.map((provider) => (
                  <Table.Tr key={provider.name}>
                    <Table.Td fw={500} className="tnum"><StateMark state={provider.state} />&ensp;<Foreign text={provider.name} /></Table.Td>
                    <Table.Td>{provider.base_url === null ? <span className="dim">within the gateway</span> : <span className="mono"><Foreign text={provider.base_url} /></span>}</Table.Td>
                    <Table.Td>{provider.kinds.join(", ")}</Table.Td>
                    <Table.Td>
                      {provider.base_url === null ? <span className="dim">needs none</span>
                        : provider.key_set ? provider.credentials.join(", ")
                        : provider.key_optional ? <span className="dim">none</span> : <Badge color="orange">missing</Badge>}
                    </Table.Td>
                    <Table.Td>{provider.endpoints.length ? <Foreign text={provider.endpoints.join(", ")} /> : <span className="dim">none</span>}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Shown>
    </Panel>
  );
}
